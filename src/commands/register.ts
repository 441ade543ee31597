import { relative, resolve } from 'node:path';

import { Agent, type buildConnector } from 'undici';

import { requestRemoval, type RegisteredClient } from '../auth/registration.ts';
import { RegistrationError } from '../base/errors.ts';
import type { Arguments, Command, ParsedArguments } from './command.ts';
import { Cancelled } from './dialogue.ts';
import { ExitError } from './exit-error.ts';
import { registrationArguments } from './registration/arguments.ts';
import {
  chooseScopes,
  describeByHand,
  explainRegistration,
  register,
  type Registration,
} from './registration/client.ts';
import { showEnabling } from './registration/enabling-steps.ts';
import { assertAddress, loadTrust } from './registration/flags.ts';
import { DEFAULT_LISTEN, resolveJwksUri } from './registration/jwks-uri.ts';
import { type FiledKey, provideKey } from './registration/key-file.ts';
import {
  readRegistration,
  removeRegistrationFile,
  writeRegistration,
} from './registration/registration-file.ts';
import { type ReachedServer, reachServer, REQUEST_MS } from './registration/server.ts';
import type { RegistrationSession } from './registration/session.ts';
import { reportWithHints } from './route-failure.ts';
import { type Runtime, signalExitCode } from './runtime.ts';
import { openSession } from './session.ts';

const registerArguments = {
  ...registrationArguments,
  remove: {
    type: 'string',
    requiresArg: true,
    describe: 'Remove the registration that this file describes',
  },
} satisfies Arguments;

type RegisterArgs = ParsedArguments<typeof registerArguments>;

/** Registers a client and nothing else. */
export const registerCommand: Command<typeof registerArguments> = {
  purpose:
    'Registers a client at a server and prints its id; "init" does that and everything around it. OpenEMR starts the client disabled.',
  examples: [
    {
      task: 'Register a client that may read patients',
      command: 'fhir-auth-proxy register https://localhost:9300 --scopes system/Patient.read',
    },
    {
      task: 'With a key that is there, publishing its public half elsewhere',
      command:
        'fhir-auth-proxy register https://localhost:9300 --scopes system/Patient.read \\\n    --key private.pem --jwks-uri https://client.example/jwks.json',
    },
    {
      task: 'Take it back, at a server that lets programs do so (OpenEMR does not)',
      command: 'fhir-auth-proxy register --remove keys/registration.json',
    },
  ],
  arguments: registerArguments,
  async run(args, runtime) {
    assertAddress(args);
    const session = { ...(await openSession(runtime)), args, folder: runtime.cwd };
    try {
      if (args.remove === undefined) await registerClient(session);
      else await removeClient(args.remove, args, runtime);
    } catch (error) {
      if (!(error instanceof Cancelled)) throw error;
      throw new ExitError(signalExitCode('SIGINT'));
    }
  },
};

async function registerClient(session: RegistrationSession): Promise<void> {
  const { dialogue } = session;
  dialogue.begin('fhir-auth-proxy register');
  const server = await reachServer(session);
  try {
    const scopes = await chooseScopes(server, session);
    const filed = await provideKey(server, session);
    const jwksUri = resolveJwksUri(DEFAULT_LISTEN, session);
    const registration = { scopes, key: filed.key, jwksUri };
    try {
      const client = await register(registration, server, session);
      await printClient({ client, filed, registration, server }, session);
    } catch (error) {
      if (!(error instanceof RegistrationError)) throw error;
      const code = reportWithHints(error, explainRegistration(error), session);
      const { title, lines } = describeByHand(registration, server, session);
      dialogue.note(title, lines);
      throw new ExitError(code);
    }
  } finally {
    await server.dispatcher.destroy();
  }
}

interface Registered {
  client: RegisteredClient;
  filed: FiledKey;
  registration: Registration;
  server: ReachedServer;
}

async function printClient(
  { client, filed, registration, server }: Registered,
  { args, dialogue, cwd, stdout }: RegistrationSession,
): Promise<void> {
  const { clientId, removal } = client;
  const { pages, fhirBase } = server.description;
  // OpenEMR gives such an access out, but answers its use with 403.
  const file = pages === undefined && removal ? resolve(cwd, 'keys/registration.json') : undefined;
  if (file !== undefined && removal !== undefined) {
    await writeRegistration(file, { clientId, ...removal });
    dialogue.step(`wrote ${relative(cwd, file)}, with which --remove takes it back`);
  }
  showEnabling({ clientId, name: args['client-name'], adminPage: pages?.apiClients }, dialogue);
  if (!args.json) {
    stdout.write(`${clientId}\n`);
    return;
  }
  const made = {
    clientId,
    fhirBase,
    scopes: client.scopes ?? registration.scopes,
    key: filed.file,
    kid: filed.key.kid,
    jwksUri: registration.jwksUri,
    certificate: server.tls.ca,
    adminPage: pages?.apiClients,
    registration: file,
  };
  stdout.writeJson(made, 2);
}

async function removeClient(
  path: string,
  { ca }: RegisterArgs,
  { cwd, stdout }: Runtime,
): Promise<void> {
  const file = resolve(cwd, path);
  const registration = await readRegistration(file);
  const trust = await loadTrust(ca === undefined ? {} : { ca: resolve(cwd, ca) });
  const connect = trust as buildConnector.BuildOptions;
  const dispatcher = new Agent({ connect });
  try {
    await requestRemoval(registration, { dispatcher, timeoutMs: REQUEST_MS, clock: Date });
  } finally {
    await dispatcher.destroy();
  }
  await removeRegistrationFile(file);
  stdout.write(`removed the client ${registration.clientId}\n`);
}
