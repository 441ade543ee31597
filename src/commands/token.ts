import { decodeJwt } from 'jose/jwt/decode';

import type { AccessToken } from '../base/contracts.ts';
import { ProxyError, TokenError } from '../base/errors.ts';
import { createRoute } from '../routes/route.ts';
import { loadChosenRoute, routeArguments } from './chosen-route.ts';
import type { Arguments, Command, ParsedArguments } from './command.ts';
import { ExitError } from './exit-error.ts';
import { logCommandArguments } from './load.ts';
import { createWarningLogger } from './loggers.ts';
import { explainTokenFailure, reportWithHints } from './route-failure.ts';
import type { Runtime } from './runtime.ts';

const tokenArguments = {
  header: {
    type: 'boolean',
    describe: 'Print the field, "Authorization: Bearer …"',
  },
  json: {
    type: 'boolean',
    conflicts: ['header', 'claims'],
    describe: 'Print an object with token, seconds left and scopes',
  },
  claims: {
    type: 'boolean',
    conflicts: 'header',
    describe: 'Print the decoded claims instead of the token',
  },
  ...routeArguments,
  ...logCommandArguments,
} satisfies Arguments;

type TokenArgs = ParsedArguments<typeof tokenArguments>;

/** Gets an access token and prints it. */
export const tokenCommand: Command<typeof tokenArguments> = {
  purpose:
    'Gets an access token the way the proxy does and prints it. It is a credential: anyone who has it can use it until it expires, about five minutes with OpenEMR.',
  examples: [
    {
      task: 'Ask the server itself, without the proxy',
      command:
        'curl -H "Authorization: Bearer $(fhir-auth-proxy token)" https://localhost:9300/apis/default/fhir/Patient',
    },
    {
      task: 'The same with the whole field',
      command: 'curl -H "$(fhir-auth-proxy token --header)" …',
    },
    {
      task: 'See what the server granted and for how long',
      command: "fhir-auth-proxy token --json | jq 'del(.accessToken)'",
    },
    { task: 'See what is in the token', command: 'fhir-auth-proxy token --claims' },
  ],
  arguments: tokenArguments,
  async run(args, runtime) {
    const { route: config, warnings } = await loadChosenRoute(args, runtime, {
      runsLogCommands: args['error-log-command'],
    });
    const logger = createWarningLogger(runtime);
    for (const warning of warnings) logger.warn({}, warning);
    const startedAtMs = Date.now();
    const route = await createRoute(config, { logger, clock: Date });
    try {
      const token = await route.tokens.get();
      if (route.sandbox) {
        runtime.stderr.write('warning: the sandbox that gave this token ends with this command\n');
      }
      print(token, config.path, args, runtime);
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      const hints = await explainTokenFailure(route, error, startedAtMs);
      throw new ExitError(reportWithHints(error, hints, runtime));
    } finally {
      await route.close();
    }
  },
};

function print(token: AccessToken, path: string, args: TokenArgs, runtime: Runtime): void {
  const { stdout, stderr } = runtime;
  if (args.claims) {
    stdout.writeJson(decode(token.value), 2);
    return;
  }
  const secondsLeft = Math.max(0, Math.floor((token.expiresAtMs - Date.now()) / 1000));
  if (stdout.isTTY) {
    stderr.write(
      `warning: this is a credential. Anyone who has it can use it for another ${secondsLeft} s; keep it out of chats, tickets and screenshots\n`,
    );
  }
  if (args.json) {
    const { requestedScopes, grantedScopes } = token;
    const shown = {
      route: path,
      accessToken: token.value,
      tokenType: 'Bearer',
      expiresInSeconds: secondsLeft,
      requestedScopes,
      grantedScopes,
    };
    stdout.writeJson(shown, 2);
    return;
  }
  stdout.write(`${args.header ? 'Authorization: Bearer ' : ''}${token.value}\n`);
}

function decode(token: string): object {
  try {
    return decodeJwt(token);
  } catch (error) {
    throw new ProxyError(
      'token-opaque',
      'the access token is not a JWT, so its claims cannot be read',
      { cause: error },
    );
  }
}
