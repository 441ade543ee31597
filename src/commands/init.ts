import { dirname, relative, resolve } from 'node:path';

import { apiClientsPage, parseOpenemrBase } from '../auth/fhir-base.ts';
import type { AccessToken } from '../base/contracts.ts';
import { ProxyError } from '../base/errors.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { ProxyConfig, RouteConfig } from '../config/schema.ts';
import { createRoute } from '../routes/route.ts';
import type { Command } from './command.ts';
import { Cancelled } from './dialogue.ts';
import { ExitError } from './exit-error.ts';
import { isThere } from './file-there.ts';
import { initArguments } from './init/arguments.ts';
import { waitForToken } from './init/enabling.ts';
import { loadMade, resume } from './init/existing.ts';
import { buildFirstTarget, type FirstAnswer, requestFirstAnswer } from './init/first-answer.ts';
import { assertListenable } from './init/flags.ts';
import { reportNoToken } from './init/no-token.ts';
import { findPortRefusal } from './init/port-check.ts';
import { printResult } from './init/result.ts';
import { agreeToReplace, holdsOnlySandboxes } from './init/sandbox-config.ts';
import type { InitSession } from './init/session.ts';
import { setUp } from './init/setup.ts';
import { createWarningLogger } from './loggers.ts';
import { startPublishingProxy } from './publishing-proxy.ts';
import { showEnabling, type WaitingClient } from './registration/enabling-steps.ts';
import { assertAddress } from './registration/flags.ts';
import { EXIT, type StopSignal, signalExitCode } from './runtime.ts';
import { openSession } from './session.ts';

/** Longest that a script waits for the client to be enabled, unless --wait says more; a person ends it with Ctrl-C. */
const WAIT_SECONDS = 300;

/** Leads from nothing to the first FHIR answer. */
export const initCommand: Command<typeof initArguments> = {
  purpose:
    'Leads from nothing to the first FHIR answer: finds the server, makes a key, registers a client, writes the config file, waits until an administrator has enabled the client, and asks for a first resource. Stopped anywhere, it goes on when it is run again.',
  examples: [
    { task: 'Set up a proxy for a server', command: 'fhir-auth-proxy init https://localhost:9300' },
    {
      task: 'Without questions, for a script',
      command:
        'fhir-auth-proxy init https://localhost:9300 --scopes "system/Patient.read" \\\n    --pin-certificate first --json',
    },
    {
      task: 'With a client that is registered already',
      command: 'fhir-auth-proxy init https://localhost:9300 --client-id … --key private.jwk.json',
    },
    {
      task: 'Let the proxy publish its keys, so that they can be changed without registering again',
      command:
        'fhir-auth-proxy init https://openemr:443 --host 0.0.0.0 \\\n    --jwks-uri http://proxy:8088/.well-known/jwks.json',
    },
    { task: 'Try it on a sandbox', command: 'fhir-auth-proxy sandbox --port 9300 --tls' },
  ],
  arguments: initArguments,
  async run(args, runtime) {
    assertAddress(args);
    assertListenable(args);
    const file = resolve(runtime.cwd, args.config);
    const made: string[] = [];
    const session: InitSession = {
      ...(await openSession(runtime)),
      args,
      file,
      folder: dirname(file),
      onMade: (each) => void made.push(each),
    };
    session.dialogue.begin('fhir-auth-proxy init');
    try {
      const isNew = await makeOrResume(session);
      const loaded = { ...(await loadMade(session)), isNew };
      const goOn = () => finish(loaded, session);
      if (args['jwks-uri'] === undefined) await goOn();
      else await whilePublished(loaded.config, session, goOn);
    } catch (error) {
      if (!(error instanceof Cancelled)) throw error;
      const kept = made.map((each) => relative(runtime.cwd, each)).join(', ');
      runtime.stderr.write(
        made.length === 0
          ? 'stopped; nothing was made\n'
          : `stopped; kept ${kept}, run init again to go on\n`,
      );
      throw new ExitError(signalExitCode('SIGINT'));
    }
  },
};

/** Gives whether the config file was made just now. */
async function makeOrResume(session: InitSession): Promise<boolean> {
  const { args, file } = session;
  const existing = !args.force && (await isThere(file)) ? await loadMade(session) : undefined;
  const keeping = existing !== undefined && holdsOnlySandboxes(existing.config);
  if (existing !== undefined && !keeping) {
    await resume(existing, session);
    return false;
  }
  if (keeping) await agreeToReplace(session);
  await setUp(keeping, session);
  return true;
}

/** What there is once the config file is written. */
type Loaded = LoadedConfig & { route: RouteConfig; isNew: boolean };

/** The server fetches the keys at each token request: they are published until a proxy runs for good. */
async function whilePublished(
  config: ProxyConfig,
  session: InitSession,
  act: () => Promise<void>,
): Promise<void> {
  const { dialogue } = session;
  const { url, refusal, close } = await startPublishingProxy(config, session);
  try {
    if (url !== undefined) dialogue.step(`the public keys are at ${url}`);
    else {
      dialogue.warn(
        `the keys cannot be published from here: ${refusal}. Fine if that is this proxy, running already`,
      );
    }
    await act();
  } finally {
    await close();
  }
}

async function finish(loaded: Loaded, session: InitSession): Promise<void> {
  const { config, route, isNew } = loaded;
  const { args, dialogue } = session;
  const client = {
    clientId: route.client?.id ?? '',
    name: isNew && args['client-id'] === undefined ? args['client-name'] : undefined,
    adminPage: adminPage(route),
  };
  const result = { loaded, adminPage: client.adminPage };
  // Whether a client of an earlier run is enabled already shows at the first try.
  if (isNew || args.wait === 0) showEnabling(client, dialogue);
  if (args.wait === 0) {
    await warnOfPort(loaded, session);
    printResult({ ...result, token: undefined, answer: undefined }, session);
    return;
  }
  const onWaiting = () => {
    if (!isNew) showEnabling(client, dialogue);
  };
  const token = await getToken(route, client, onWaiting, session);
  const target = buildFirstTarget(token.grantedScopes);
  const answer = await requestFirstAnswer(config, route, target, session);
  await warnOfPort(loaded, session);
  printResult({ ...result, token, answer }, session);
  assertUsable(answer, token);
}

async function warnOfPort({ config }: Loaded, { args, dialogue }: InitSession): Promise<void> {
  // With this flag a proxy of ours may have the port at this moment, and a failure was reported.
  const refusal = args['jwks-uri'] === undefined ? await findPortRefusal(config.listen) : undefined;
  if (refusal === undefined) return;
  dialogue.warn(
    `${refusal}: fine if that is this proxy, running already; else set another "listen.port" in ${args.config}`,
  );
}

/** Waits for a token; without one, says why and throws an ExitError. */
async function getToken(
  config: RouteConfig,
  client: WaitingClient,
  onWaiting: () => void,
  session: InitSession,
): Promise<AccessToken> {
  const { args, dialogue, stderr } = session;
  const route = await createRoute(config, { logger: createWarningLogger(session), clock: Date });
  const longestSeconds = args.wait ?? (dialogue.interactive ? undefined : WAIT_SECONDS);
  try {
    const stop = session.stopSignal();
    const ended = await waitForToken(route, longestSeconds, dialogue, { stop, onWaiting });
    if ('token' in ended) return ended.token;
    if ('stopped' in ended) {
      stderr.write('stopped; everything made is kept, run init again to go on\n');
      throw new ExitError(signalExitCode(stop.reason as StopSignal));
    }
    const code = reportNoToken(ended, client, session);
    if (ended.timedOut) stderr.write('Run init again to go on from here\n');
    throw new ExitError(code);
  } finally {
    await route.close();
  }
}

function adminPage({ upstream }: RouteConfig): string | undefined {
  const openemr = parseOpenemrBase(upstream);
  return openemr && apiClientsPage(openemr.root);
}

function assertUsable({ status }: FirstAnswer, { grantedScopes }: AccessToken): void {
  if (grantedScopes.length === 0) {
    throw new ProxyError(
      'scopes-not-granted',
      'the server gave a token without any scope: register the client again with the scopes of the config (init --force)',
    );
  }
  if (status < 200 || status >= 300) throw new ExitError(EXIT.failed);
}
