/** `key public`, and where its key comes from. */
import { createPublicKey } from 'node:crypto';
import { resolve } from 'node:path';

import { buildJwks } from '../../auth/jwks.ts';
import { readKeyText } from '../../auth/key-file.ts';
import { loadSigningKey, type SigningKey } from '../../auth/signing-key.ts';
import { ConfigError } from '../../base/errors.ts';
import { DEFAULT_CONFIG_FILE } from '../../config/load.ts';
import { loadRouteKey } from '../../routes/route-key.ts';
import { loadChosenRoute, type RouteArgs } from '../chosen-route.ts';
import { isThere } from '../file-there.ts';
import { DEFAULT_KEY_FILE, DEFAULT_PEM_FILE } from '../key-file.ts';
import { createWarningLogger } from '../loggers.ts';
import type { Runtime } from '../runtime.ts';
import { UsageError } from '../usage-error.ts';
import type { KeyArgs } from './arguments.ts';
import { createKeyCertificate } from './certificate.ts';

/** Prints the public half of a private key. */
export async function printPublicKey(args: KeyArgs, runtime: Runtime): Promise<void> {
  if (args.pem && args.x509) {
    throw new UsageError('--pem and --x509 are two forms of one key: expected one of them');
  }
  const key =
    args.file === undefined
      ? await loadKeyAtHand(args, runtime)
      : await loadKeyFile(args.file, runtime);
  if (args.x509) {
    runtime.stdout.write(await createKeyCertificate(key));
    return;
  }
  if (!args.pem) {
    runtime.stdout.writeJson(buildJwks([key]), 2);
    return;
  }
  const spki = createPublicKey(key.privateKey).export({ format: 'pem', type: 'spki' });
  runtime.stdout.write(spki.toString());
}

/** The key of the configuration; where there is no configuration yet, the one that "key generate" made. */
async function loadKeyAtHand(args: KeyArgs, runtime: Runtime): Promise<SigningKey> {
  try {
    return await loadConfiguredKey(args, runtime);
  } catch (error) {
    if (!(error instanceof ConfigError) || args.config !== undefined || args.route !== undefined) {
      throw error;
    }
    if (error.problems[0]?.path !== DEFAULT_CONFIG_FILE) throw error;
    for (const file of [DEFAULT_KEY_FILE, DEFAULT_PEM_FILE]) {
      if (!(await isThere(resolve(runtime.cwd, file)))) continue;
      runtime.stderr.write(`no ${DEFAULT_CONFIG_FILE} here: the key is the one of ${file}\n`);
      return loadKeyFile(file, runtime);
    }
    throw error;
  }
}

/** Loads a private key from a file; warnings about the file go to standard error. */
export async function loadKeyFile(path: string, { cwd, stderr }: Runtime): Promise<SigningKey> {
  const { text, warnings } = await readKeyText(resolve(cwd, path));
  for (const warning of warnings) stderr.write(`warning: ${warning}\n`);
  return loadSigningKey(text, { name: path });
}

/** Loads the key of the configured route. Throws ConfigError or UsageError when there is none. */
export async function loadConfiguredKey(args: RouteArgs, runtime: Runtime): Promise<SigningKey> {
  const { route } = await loadChosenRoute(args, runtime);
  if (route.client === undefined) {
    throw new UsageError(
      `the route "${route.path}" has no client and so no key`,
      'Name a key file, such as: fhir-auth-proxy key public keys/private.jwk.json',
    );
  }
  return (await loadRouteKey(route.path, route.client, createWarningLogger(runtime))).key;
}
