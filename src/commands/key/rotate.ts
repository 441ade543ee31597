/**
 * `key rotate`: a new signing key in the place of the old one. The configuration is changed step by
 * step and put back, byte for byte, when the server does not take the new key.
 */
import { dirname, extname, resolve } from 'node:path';

import type { SigningKey } from '../../auth/signing-key.ts';
import { ConfigError, type TokenError } from '../../base/errors.ts';
import { loadChosenRoute } from '../chosen-route.ts';
import { openConfigEdit } from '../config-file.ts';
import type { Dialogue } from '../dialogue.ts';
import { ExitError } from '../exit-error.ts';
import { isThere } from '../file-there.ts';
import { makeMissingKeyFile } from '../key-file.ts';
import { pathFrom } from '../path-from.ts';
import { reportWithHints } from '../route-failure.ts';
import { type Runtime, signalExitCode, type StopSignal } from '../runtime.ts';
import { openSession, type Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { KeyArgs } from './arguments.ts';
import { finishRotation } from './finish.ts';
import { type TrialFailure, tryKey } from './key-trial.ts';
import { loadKeyFile } from './public.ts';
import { openPublication, type Publication } from './publication.ts';
import { assertNotRotating, type RotatingRoutes, readRotatingRoutes } from './rotating-routes.ts';

/** The keys of a rotation. */
interface Rotation {
  rotating: RotatingRoutes;
  fresh: { file: string; key: SigningKey };
  publication: Publication;
}

/** Runs `key rotate`. */
export async function rotateKey(args: KeyArgs, runtime: Runtime): Promise<void> {
  if (args.delete && !args.finish) {
    throw new UsageError(
      '--delete is given without --finish: the old key may be needed until the rotation is finished',
      'Run "fhir-auth-proxy key rotate" first, then "fhir-auth-proxy key rotate --finish --delete"',
    );
  }
  const session = await openSession(runtime);
  const { dialogue } = session;
  const rotating = await readRotatingRoutes(args, runtime);
  if (args.finish) {
    await finishRotation(rotating, args, session);
    return;
  }
  const named = args.file === undefined ? undefined : resolve(runtime.cwd, args.file);
  assertNotRotating(rotating, named, runtime);
  dialogue.begin('fhir-auth-proxy key rotate');
  const fresh = await provideNextKey(named, rotating, session);
  const load = () => loadChosenRoute(args, runtime);
  const publication = await openPublication(load, rotating.key.kid, session);
  try {
    await change({ rotating, fresh, publication }, args, session);
  } finally {
    await publication.close();
  }
}

/** Publishes, tries, and switches; a failure on the way puts the configuration back. */
async function change(
  { rotating, fresh, publication }: Rotation,
  args: KeyArgs,
  session: Session,
): Promise<void> {
  const { dialogue } = session;
  const stop = session.stopSignal();
  const edit = await openConfigEdit(rotating.configFile);
  const { key: oldKey, keyFile, isKeyFirst } = rotating;
  const old = { file: keyFile, key: oldKey };
  const inFile = ({ file }: { file: string }) => pathFrom(dirname(rotating.configFile), file);
  const set = (name: 'key' | 'publish', value: unknown) =>
    rotating.routes.map(({ path }) => [path(name), value] as const);
  const publish = (order: readonly { file: string }[]) => set('publish', order.map(inFile));
  const putBack = () => (isKeyFirst ? edit.restore() : edit.set(publish([old, fresh])));
  const attempt = async (...order: readonly { file: string; key: SigningKey }[]) => {
    stop.throwIfAborted();
    await edit.set(publish(order));
    await publication.adopt(
      order.map(({ key }) => key),
      stop,
    );
    return tryKey(rotating, fresh.file, stop, session);
  };
  let trial: TrialFailure | undefined;
  try {
    trial = await attempt(old, fresh);
    if (trial !== undefined && trial.error.kind !== 'transient') {
      dialogue.step(
        'refused as the second key; OpenEMR reads the first RSA key only, so the new one is tried as the first',
      );
      trial = await attempt(fresh, old);
    }
    stop.throwIfAborted();
    if (trial !== undefined) await putBack();
    else await edit.set([...set('key', inFile(fresh)), ...publish([fresh, old])]);
  } catch (error) {
    await putBack();
    if (!stop.aborted) throw error;
    dialogue.warn('stopped: the configuration is as it was');
    throw new ExitError(signalExitCode(stop.reason as StopSignal));
  }
  if (trial !== undefined) {
    // First what to do, then what the server said.
    showRefusal(trial.error, rotating, pathFrom(session.cwd, fresh.file), dialogue);
    throw new ExitError(reportWithHints(trial.error, trial.hints, session));
  }
  showSuccess(rotating, fresh, args, session);
}

/** The file of the next key: the one that was named, made unless it is there, else one beside the old key. */
async function provideNextKey(
  named: string | undefined,
  rotating: RotatingRoutes,
  session: Session,
): Promise<{ file: string; key: SigningKey }> {
  const file = named ?? (await nextFileName(rotating.keyFile));
  const isNew = await makeMissingKeyFile(file, rotating.key.alg);
  const key = await loadKeyFile(file, session);
  if (key.kid === rotating.key.kid) {
    throw new ConfigError([
      {
        path: 'key',
        message: `"${pathFrom(session.cwd, file)}" holds the key that is in use already`,
      },
    ]);
  }
  session.dialogue.step(
    `${isNew ? 'made a key' : 'took the key that is there'}: ${pathFrom(session.cwd, file)}\n${key.alg}, kid ${key.kid}`,
  );
  return { file, key };
}

/** `keys/private.jwk.json` is followed by `keys/private-2.jwk.json`, that by `keys/private-3.jwk.json`. */
async function nextFileName(file: string): Promise<string> {
  const end = /\.jwk\.json$/.exec(file)?.[0] ?? extname(file);
  const stem = file.slice(0, file.length - end.length);
  const [, base = stem, count = '1'] = /^(.*)-(\d{1,6})$/.exec(stem) ?? [];
  for (let next = Number(count) + 1; ; next += 1) {
    const name = `${base}-${next}${end}`;
    if (!(await isThere(name))) return name;
  }
}

function showRefusal(
  error: TokenError,
  { routes: [first] }: RotatingRoutes,
  file: string,
  dialogue: Dialogue,
): void {
  dialogue.warn('the configuration is as it was; the old key stays in use');
  if (error.kind === 'transient') {
    dialogue.note(`The new key stays in ${file}`, [
      `Once the server can be reached: fhir-auth-proxy key rotate ${file}`,
    ]);
    return;
  }
  dialogue.note(`The server does not know the new key; it stays in ${file}, and nothing uses it`, [
    `If the keys were registered with the client: OpenEMR cannot change them. Register a new client: fhir-auth-proxy register ${first?.config.upstream} --key ${file} --scopes "${first?.config.client.scopes.join(' ')}"; once it is enabled, put its id and this key into the config file`,
    `If they are published elsewhere: put the new one first there (fhir-auth-proxy key public ${file}), then: fhir-auth-proxy key rotate ${file}`,
    'If the server fetches them from this proxy (jwks_uri): see that it can reach it; what it said follows.',
  ]);
}

function showSuccess(
  { routes, configFile, keyFile, key: oldKey }: RotatingRoutes,
  { file, key }: Rotation['fresh'],
  { json }: KeyArgs,
  { dialogue, cwd, stdout }: Session,
): void {
  const paths = routes.map(({ config }) => config.path);
  if (json) {
    const previous = { file: keyFile, kid: oldKey.kid };
    const rotated = { routes: paths, file, alg: key.alg, kid: key.kid, previous };
    stdout.writeJson(rotated);
  }
  dialogue.step(
    `the server takes the new key; ${pathFrom(cwd, configFile)} names it now for "${paths.join('", "')}"`,
  );
  dialogue.note('The old key is still published and still there', [
    `file  ${pathFrom(cwd, keyFile)}`,
    `kid   ${oldKey.kid}`,
    'When nothing uses it any more: fhir-auth-proxy key rotate --finish',
  ]);
}
