/** From nothing to a config file: server, key, client. */
import { resolve } from 'node:path';

import { allowsWriting } from '../../auth/system-scopes.ts';
import { RegistrationError } from '../../base/errors.ts';
import { isLoopbackHost } from '../../config/host.ts';
import type { ProxyConfigInput } from '../../config/schema.ts';
import { writeConfigFile } from '../config-file.ts';
import { formatHint } from '../hint-text.ts';
import { pathFrom, shownPath } from '../path-from.ts';
import {
  chooseScopes,
  describeByHand,
  explainRegistration,
  register,
  type Registration,
} from '../registration/client.ts';
import { DEFAULT_LISTEN, resolveJwksUri } from '../registration/jwks-uri.ts';
import { type FiledKey, provideKey } from '../registration/key-file.ts';
import { type ReachedServer, reachServer } from '../registration/server.ts';
import { ignoreInGit } from './git-ignore.ts';
import { keepCopy } from './sandbox-config.ts';
import type { InitSession } from './session.ts';
import { chooseTokenEndpoint } from './token-endpoint.ts';

/** OpenEMR 8 takes scopes that write without announcing them; 7.0.3 has none. */
const READ_ONLY =
  'the route is read-only ("access": { "readOnly": true }), as its scopes are; to write, run init again with --force and --scopes such as "system/Patient.write", where the server takes them: that registers a new client';

/**
 * Makes everything up to the config file. What was made stays when a later step fails.
 *
 * @param keeping whether a config file is there that is replaced, and kept under another name
 */
export async function setUp(keeping: boolean, session: InitSession): Promise<void> {
  const { args, file: configFile, folder, dialogue, onMade } = session;
  const listen = {
    host: args.host ?? DEFAULT_LISTEN.host,
    port: args.port ?? DEFAULT_LISTEN.port,
  };
  const server = await reachServer(session);
  try {
    for (const file of server.written) onMade(file);
    const tokenEndpoint = await chooseTokenEndpoint(server, session);
    const scopes = await chooseScopes(server, session);
    const filed = await provideKey(server, session);
    if (filed.made) onMade(filed.file);
    if (filed.file.startsWith(resolve(folder, 'keys')) && (await ignoreInGit(folder, 'keys/'))) {
      dialogue.step('added keys/ to .gitignore');
    }
    const jwksUri = resolveJwksUri(listen, session);
    const registration = { scopes, key: filed.key, jwksUri };
    const clientId = await becomeClient(registration, server, session);
    const config = buildConfig(session, {
      server,
      filed,
      registration,
      clientId,
      tokenEndpoint,
      listen,
    });
    const shown = (file: string) => shownPath(session.cwd, file);
    if (keeping) dialogue.step(`kept the old file as ${shown(await keepCopy(configFile))}`);
    await writeConfigFile(configFile, config, args.force || keeping);
    dialogue.step(`wrote ${shown(configFile)}`);
    if (!allowsWriting(scopes)) dialogue.step(READ_ONLY);
  } finally {
    await server.dispatcher.destroy();
  }
}

/** The client id: of the flag, else of a registration, else as entered after one by hand. */
async function becomeClient(
  registration: Registration,
  server: ReachedServer,
  session: InitSession,
): Promise<string> {
  const { args, dialogue, stderr } = session;
  const given = args['client-id'];
  if (given !== undefined) return given;
  try {
    const { clientId, scopes } = await register(registration, server, session);
    dialogue.step(`registered the client "${args['client-name']}"\n${clientId}`);
    const missing = registration.scopes.filter((scope) => scopes?.includes(scope) === false);
    if (missing.length > 0) dialogue.warn(`not registered for ${missing.join(' ')}`);
    return clientId;
  } catch (error) {
    if (!(error instanceof RegistrationError)) throw error;
    const hints = explainRegistration(error);
    dialogue.warn(error.message);
    for (const hint of hints) stderr.write(formatHint(hint, stderr));
    const { title, lines } = describeByHand(registration, server, session);
    dialogue.note(title, lines);
    if (!dialogue.interactive) {
      throw new RegistrationError(
        error.code,
        'the client is not registered: fix what is said above and run init again, or register by hand and run it with --client-id',
        { cause: error },
      );
    }
    return dialogue.askText({
      flag: '--client-id',
      message: 'Client id that the form gave (Ctrl-C stops; run init again with --client-id later)',
      expected: 'the client id',
      check: (text) =>
        /^[\x21-\x7e]+$/.test(text.trim()) ? undefined : 'a client id has no spaces',
    });
  }
}

interface Made {
  server: ReachedServer;
  filed: FiledKey;
  registration: Registration;
  clientId: string;
  tokenEndpoint: string | undefined;
  listen: { host: string; port: number };
}

function buildConfig({ args, folder }: InitSession, made: Made): ProxyConfigInput {
  const { server, filed, registration, clientId, tokenEndpoint, listen } = made;
  const { description, tls } = server;
  const names = registration.jwksUri === undefined ? [] : [new URL(registration.jwksUri).hostname];
  const isOpen = !isLoopbackHost(listen.host);
  return {
    ...(args.host === undefined && args.port === undefined
      ? {}
      : {
          listen: {
            ...(args.host === undefined ? {} : { host: args.host }),
            port: listen.port,
            ...(isOpen ? { allowedHosts: names } : {}),
          },
        }),
    routes: [
      {
        path: args.path,
        upstream: description.fhirBase,
        ...(tokenEndpoint === undefined ? {} : { tokenEndpoint }),
        client: {
          id: clientId.trim(),
          key: pathFrom(folder, filed.file),
          scopes: [...registration.scopes],
        },
        ...(tls.ca === undefined
          ? {}
          : {
              tls: {
                ca: pathFrom(folder, tls.ca),
                ...(tls.serverName === undefined ? {} : { serverName: tls.serverName }),
              },
            }),
        // OpenEMR 8 grants writing to clients that were registered for reading.
        ...(allowsWriting(registration.scopes) ? {} : { access: { readOnly: true } }),
        ...(args['error-log'] === undefined ? {} : { errorLog: args['error-log'] }),
      },
    ],
  };
}
