import { TokenError } from '../base/errors.ts';
import { missingScopes } from '../fhir/scope.ts';
/** The access token: whether one can be had, and what it is good for. */
import type { ServedRoute } from '../routes/diagnosis.ts';
import type { RouteCheck } from './check.ts';
import { fail, ok } from './result.ts';

/** Most milliseconds that an error log has to open, so that it shows what the token request causes. */
const LOG_OPENS_MS = 3_000;
const LOOK_MS = 25;

/** Gets a token as the proxy would; a refusal is explained with the error log. */
export const tokenCheck: RouteCheck = {
  name: 'token',
  needs: ({ tokenEndpoint }) => [
    'key',
    'tls',
    ...(tokenEndpoint === undefined ? ['discovery'] : []),
  ],
  async run(subject) {
    const { facts, clock } = subject;
    const route = await subject.route();
    await untilLogOpen(route);
    const startedAtMs = clock.now();
    try {
      facts.token = await route.tokens.get();
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      const [hint] = await route.diagnosis.explainError({ method: 'POST', startedAtMs }, error);
      return [fail(error.message, undefined, hint)];
    }
    const { expiresAtMs, obtainedAtMs } = facts.token;
    const lifeSeconds = Math.round((expiresAtMs - obtainedAtMs) / 1000);
    return [ok(`obtained, valid for ${lifeSeconds} s`)];
  },
};

/** Compares the scopes of the token with those asked for. */
export const grantedScopesCheck: RouteCheck = {
  name: 'granted-scopes',
  needs: ['token'],
  run({ facts }) {
    const { requestedScopes = [], grantedScopes = [] } = facts.token ?? {};
    const missing = missingScopes(requestedScopes, grantedScopes);
    if (missing.length === 0) {
      const { length } = requestedScopes;
      return Promise.resolve([ok(length === 1 ? 'the one asked for' : `all ${length} asked for`)]);
    }
    return Promise.resolve([
      fail(
        `not granted: ${missing.map((scope) => `"${scope}"`).join(', ')}`,
        'Register the client anew with these scopes (OpenEMR cannot add them to a client), or take them out of "client.scopes"',
      ),
    ]);
  },
};

async function untilLogOpen({ errorLog }: ServedRoute): Promise<void> {
  if (errorLog === undefined) return;
  const untilMs = performance.now() + LOG_OPENS_MS;
  while (errorLog.state().state === 'starting' && performance.now() < untilMs) {
    await new Promise((resolve) => void setTimeout(resolve, LOOK_MS));
  }
  await errorLog.catchUp();
}
