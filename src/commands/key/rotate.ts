/**
 * `key rotate`: a new signing key in the place of the old one. The configuration is changed step by
 * step and put back, byte for byte, when the server does not take the new key.
 */
import { dirname, extname, relative, resolve } from 'node:path';

import { generateSigningKey } from '../../auth/key-generation.ts';
import type { SigningKey } from '../../auth/signing-key.ts';
import { ConfigError, type TokenError } from '../../errors.ts';
import { loadChosenRoute } from '../chosen-route.ts';
import { pathFrom } from '../init/config-file.ts';
import { createDialogue, type Dialogue } from '../init/dialogue.ts';
import { writePrivateFile } from '../private-file.ts';
import { reportWithHints } from '../route-failure.ts';
import { EXIT, type Runtime, signalExitCode, type StopSignal } from '../runtime.ts';
import type { KeyArgs } from './arguments.ts';
import { openConfigEdit } from './config-edit.ts';
import { isThere } from './file-there.ts';
import { tryKey } from './key-trial.ts';
import { loadKeyFile } from './public.ts';
import { openPublication, type Publication } from './publication.ts';
import { finishRotation, type RotatingRoute, readRotatingRoute } from './rotating-route.ts';

/** The keys of a rotation. */
interface Rotation {
  route: RotatingRoute;
  fresh: { file: string; key: SigningKey };
  publication: Publication;
}

/** Runs `key rotate`. */
export async function rotateKey(args: KeyArgs, runtime: Runtime): Promise<number> {
  const dialogue = await createDialogue(runtime);
  const route = await readRotatingRoute(args, runtime);
  if (args.finish) return finishRotation(route, args, dialogue, runtime);
  route.assertNotRotating();
  dialogue.begin('fhir-auth-proxy key rotate');
  const fresh = await provideNextKey(args.file, route, dialogue, runtime);
  const load = () => loadChosenRoute(args, runtime);
  const publication = await openPublication(load, route.key.kid, dialogue, runtime);
  try {
    return await change({ route, fresh, publication }, args, dialogue, runtime);
  } finally {
    await publication.close();
  }
}

/** Publishes, tries, and switches; whatever goes wrong on the way puts the configuration back. */
async function change(
  { route, fresh, publication }: Rotation,
  args: KeyArgs,
  dialogue: Dialogue,
  runtime: Runtime,
): Promise<number> {
  const stop = runtime.stopSignal();
  const edit = await openConfigEdit(route.configFile);
  const inFile = (file: string) => pathFrom(dirname(route.configFile), file);
  const [old, next] = [inFile(route.keyFile), inFile(fresh.file)];
  const order = { second: [old, next], first: [next, old] };
  const attempt = async (place: 'second' | 'first') => {
    stop.throwIfAborted();
    await edit.set([[route.path('publish'), order[place]]]);
    await publication.adopt(fresh.key.kid, place === 'first' ? 'first' : 'anywhere');
    return tryKey(route, fresh.file, runtime);
  };
  let switched = false;
  try {
    let trial = await attempt('second');
    if (trial !== undefined && trial.error.kind !== 'transient') {
      dialogue.step(
        'refused as the second key; OpenEMR reads the first RSA key only, so the new one is tried as the first',
      );
      trial = await attempt('first');
    }
    stop.throwIfAborted();
    if (trial !== undefined) {
      await edit.restore();
      const code = reportWithHints(trial.error, trial.hints, runtime);
      tellRefusal(trial.error, shown(fresh.file, runtime), dialogue);
      return code;
    }
    await edit.set([
      [route.path('key'), next],
      [route.path('publish'), order.first],
    ]);
    switched = true;
  } catch (error) {
    if (!stop.aborted) throw error;
    dialogue.warn('stopped: the configuration is as it was');
    return signalExitCode(stop.reason as StopSignal);
  } finally {
    if (!switched) await edit.restore();
  }
  tellSuccess({ route, fresh, publication }, args, dialogue, runtime);
  return EXIT.ok;
}

/** The file of the next key: the one that was named, made unless it is there, else one beside the old key. */
async function provideNextKey(
  named: string | undefined,
  route: RotatingRoute,
  dialogue: Dialogue,
  runtime: Runtime,
): Promise<{ file: string; key: SigningKey }> {
  const file =
    named === undefined ? await nextFileName(route.keyFile) : resolve(runtime.cwd, named);
  const isNew = !(await isThere(file));
  if (isNew) {
    const { jwk, pem } = await generateSigningKey(route.key.alg);
    const text = file.endsWith('.pem') ? pem : `${JSON.stringify(jwk, null, 2)}\n`;
    await writePrivateFile(file, text, 'key file');
  }
  const key = await loadKeyFile(file, runtime);
  if (key.kid === route.key.kid) {
    throw new ConfigError([
      { path: 'key', message: `"${shown(file, runtime)}" holds the key that is in use already` },
    ]);
  }
  dialogue.step(
    `${isNew ? 'made a key' : 'took the key that is there'}: ${shown(file, runtime)}\n${key.alg}, kid ${key.kid}`,
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

function tellRefusal(error: TokenError, file: string, dialogue: Dialogue): void {
  dialogue.warn('the configuration is as it was; the old key stays in use');
  dialogue.note(
    `The new key is in ${file}`,
    error.kind === 'transient'
      ? [`Once the server can be reached: fhir-auth-proxy key rotate ${file}`]
      : [
          'The server knows its public half only if it fetches the keys (jwks_uri) from this proxy.',
          `Keys published elsewhere: put the new one first there (fhir-auth-proxy key public ${file}), then: fhir-auth-proxy key rotate ${file}`,
          `Keys registered with the client: OpenEMR cannot change them. Register a new client: fhir-auth-proxy init --force --key ${file}`,
        ],
  );
}

function tellSuccess(
  { route, fresh }: Rotation,
  { json }: KeyArgs,
  dialogue: Dialogue,
  runtime: Runtime,
): void {
  const old = shown(route.keyFile, runtime);
  if (json) {
    const { file, key } = fresh;
    const told = { route: route.routePath, file, alg: key.alg, kid: key.kid };
    runtime.stdout.write(
      `${JSON.stringify({ ...told, previous: { file: route.keyFile, kid: route.key.kid } })}\n`,
    );
  }
  dialogue.step(`the server takes the new key; ${shown(route.configFile, runtime)} names it now`);
  dialogue.note('The old key is still published and still there', [
    `file  ${old}`,
    `kid   ${route.key.kid}`,
    'When nothing uses it any more: fhir-auth-proxy key rotate --finish',
  ]);
}

function shown(file: string, { cwd }: Runtime): string {
  const path = relative(cwd, file);
  return path.startsWith('..') || path === '' ? file : path;
}
