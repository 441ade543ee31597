/** What the server announces about tokens, and whether the configuration agrees with it. */
import { parseOpenemrTokenEndpoint } from '../auth/fhir-base.ts';
import { isSameService } from '../auth/same-service.ts';
import { TokenError } from '../base/errors.ts';
import type { RouteCheck } from './check.ts';
import { explainNetwork, explainOpenAnswer } from './explain.ts';
import { fail, type Finding, ok, warn } from './result.ts';

/** Reads the SMART configuration (SMART App Launch 2.2, section Conformance). */
export const discoveryCheck: RouteCheck = {
  name: 'discovery',
  needs: ['fhir-base'],
  async run(subject) {
    const { facts } = subject;
    try {
      facts.smart = await subject.discovery().complete();
      return [ok(`token endpoint "${facts.smart.tokenEndpoint}"`)];
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      const hint =
        error.answer === undefined
          ? explainNetwork(subject, error, 'discovery')
          : explainOpenAnswer(subject, '.well-known/smart-configuration', error.answer);
      return [fail(error.message, undefined, hint)];
    }
  },
};

/** Compares the announced token endpoint with what the proxy will use. */
export const tokenEndpointCheck: RouteCheck = {
  name: 'token-endpoint',
  needs: ['discovery'],
  run(subject) {
    const { base, config, facts } = subject;
    const announced = facts.smart?.tokenEndpoint ?? '';
    return Promise.resolve(
      [
        ...judgeAudience(announced, config.audience),
        ...judgeAddress(announced, config.tokenEndpoint, base),
      ].slice(0, 1),
    );
  },
};

function judgeAudience(announced: string, audience: string | undefined): Finding[] {
  if (audience === undefined || audience === announced) return [];
  return [
    warn(
      `"audience" is "${audience}", but the server announces "${announced}": OpenEMR compares them character by character`,
      'Take "audience" out of the route, unless the server is told to expect it',
    ),
  ];
}

function judgeAddress(announced: string, configured: string | undefined, base: URL): Finding[] {
  if (configured !== undefined) {
    return [
      configured === announced
        ? ok('"tokenEndpoint" is the announced one')
        : ok(`"tokenEndpoint" is used as the address, the announced one as the audience`),
    ];
  }
  const { origin, protocol } = new URL(announced);
  if (isSameService(new URL(announced), base)) return [ok('on the same server as the FHIR base')];
  if (base.protocol === 'https:' && protocol === 'http:') {
    return [
      fail(
        `the announced token endpoint is http, the FHIR base https: the assertion would travel readable`,
        `Set "tokenEndpoint" to "${announced.replace(origin, base.origin)}", and correct Admin, Config, Connectors, "Site Address Override" in OpenEMR`,
      ),
    ];
  }
  return [
    fail(
      `announced at "${origin}", but the FHIR base is at "${base.origin}": client assertions go to another address only when the configuration names it`,
      parseOpenemrTokenEndpoint(announced) === undefined
        ? `If that is where your server issues tokens, set "tokenEndpoint" to "${announced}"`
        : `Set "tokenEndpoint" to "${announced.replace(origin, base.origin)}"; the announced one, from OpenEMR's Site Address, stays the audience`,
    ),
  ];
}
