/** One small search for each resource type that the token is good for. */
import { requestAnswer, type HttpAnswer } from '../auth/http-answer.ts';
import { parseJsonObject } from '../auth/json-text.ts';
import { parseNetworkFailure } from '../auth/network-failure.ts';
import type { AccessToken } from '../base/contracts.ts';
import { parseInteraction } from '../fhir/interaction.ts';
import { parseScope } from '../fhir/scope.ts';
import type { RouteCheck } from './check.ts';
import { fail, type Finding, ok, skip } from './result.ts';
import type { Subject } from './subject.ts';

/** Types whose search OpenEMR answers with 500 when it has `_count`. */
const WITHOUT_COUNT: ReadonlySet<string> = new Set(['ValueSet']);

/** Asks for one resource of each type; nothing of the answers is shown. */
export const readCheck: RouteCheck = {
  name: 'read',
  needs: ['token'],
  async run(subject) {
    const { token, server } = subject.facts;
    if (token === undefined) return [skip('there is no token')];
    const types = listSearchable(token, server?.searchable ?? new Set());
    if (types.length === 0) {
      return [skip('no granted scope is for searching a resource type')];
    }
    const findings: Finding[] = [];
    for (const type of types) findings.push(await readOne(subject, type, token));
    return findings;
  },
};

/** Types that may be searched by scope, and can be by what the server says of itself. */
function listSearchable(token: AccessToken, searchable: ReadonlySet<string>): string[] {
  const types = token.grantedScopes
    .map(parseScope)
    .filter((scope) => scope?.context === 'system' && scope.letters.includes('s'))
    .map((scope) => scope?.resourceType ?? '');
  const named = types.includes('*') ? [...types, 'Patient'] : types;
  return [...new Set(named)].filter(
    (type) => type !== '*' && (searchable.size === 0 || searchable.has(type)),
  );
}

async function readOne(subject: Subject, type: string, token: AccessToken): Promise<Finding> {
  const { clock, config, destination } = subject;
  const query = WITHOUT_COUNT.has(type) ? '' : '?_count=1';
  const startedAtMs = clock.now();
  const began = performance.now();
  let answer: HttpAnswer;
  try {
    answer = await requestAnswer({
      url: `${destination.fhirBase}/${type}${query}`,
      method: 'GET',
      headers: {
        accept: 'application/fhir+json, application/json',
        authorization: `Bearer ${token.value}`,
      },
      // Verifies the certificate: the TLS check has passed, or there would be no token.
      dispatcher: subject.open,
      timeoutMs: config.timeouts.headMs,
      clock,
    });
  } catch (error) {
    const { reason, remedy } = parseNetworkFailure(error);
    return fail(`${type}: ${reason}`, remedy);
  }
  const took = `${Math.round(performance.now() - began)} ms`;
  const resourceType = parseJsonObject(answer.body)?.['resourceType'];
  if (answer.status === 200 && (resourceType === 'Bundle' || answer.truncated)) {
    return ok(`${type}: answered in ${took}`);
  }
  const what =
    answer.status === 200
      ? `${type}: answered 200 without a Bundle`
      : `${type}: answered ${answer.status}`;
  const route = await subject.route();
  const { hints } = await route.diagnosis.explainAnswer(
    {
      method: 'GET',
      startedAtMs,
      interaction: parseInteraction('GET', type),
      parameterNames: query === '' ? [] : ['_count'],
    },
    {
      status: answer.status,
      fields: [],
      contentType: answer.contentType,
      body: Buffer.from(answer.body),
      token,
    },
    { target: `${subject.base.pathname}/${type}${query}`, origin: '' },
  );
  return fail(what, undefined, hints[0]);
}
