/** Whether the requested scopes exist, and are spelt as this version of the server spells them. */
import { missingScopes } from '../fhir/scope.ts';
import { judgeScope } from '../hints/scope-spelling.ts';
import type { RouteCheck } from './check.ts';
import { fail, type Finding, ok, warn } from './result.ts';

const CONNECTORS = 'Admin, Config, Connectors, "Enable OpenEMR FHIR System Scopes"';

/** Judges every requested scope by spelling, and by what the server lists. */
export const scopesCheck: RouteCheck = {
  name: 'scopes',
  needs: ['discovery'],
  run({ destination, facts }) {
    const { scopes } = destination.client;
    const { modern, isOpenEmr = false, smart } = facts;
    const supported = smart?.scopesSupported ?? [];
    const findings: Finding[] = [];
    const wellSpelt: string[] = [];
    for (const scope of scopes) {
      const judgement = isOpenEmr ? judgeScope(scope, { modern, supported }) : undefined;
      // Without a known version v2 syntax is right if the server lists it.
      if (judgement === undefined || (modern === undefined && supported.includes(scope))) {
        wellSpelt.push(scope);
        continue;
      }
      findings.push(
        fail(
          `scope "${scope}" ${judgement.problem}`,
          judgement.right === undefined
            ? `Take "${scope}" out of "client.scopes"`
            : `Write "${judgement.right}" in "client.scopes"`,
        ),
      );
    }
    findings.push(...judgeListed(wellSpelt, supported, modern));
    if (findings.length > 0) return Promise.resolve(findings);
    const count = scopes.length === 1 ? '1 scope is' : `${scopes.length} scopes are`;
    return Promise.resolve([ok(`${count} spelt right and offered by the server`)]);
  },
};

function judgeListed(
  scopes: readonly string[],
  supported: readonly string[],
  modern: boolean | undefined,
): Finding[] {
  if (scopes.length === 0) return [];
  if (supported.length === 0) {
    return [warn('the server does not tell which scopes it offers: no more is known of ours')];
  }
  const wantsSystem = scopes.some((scope) => scope.startsWith('system/'));
  const offersSystem = supported.some((scope) => /^system\/[A-Za-z]+\.(?!\$)/.test(scope));
  if (wantsSystem && !offersSystem) {
    const fix = `Switch on ${CONNECTORS} in OpenEMR, then save`;
    // Newer versions list them in another document, which may be out of reach.
    return [
      modern === false
        ? fail('the server offers no system scopes', fix)
        : warn('the server lists no system scopes', `If no token is obtained: ${fix}`),
    ];
  }
  return missingScopes(scopes, supported).map((scope) =>
    fail(
      `scope "${scope}" is not offered by the server, which then refuses the whole token request`,
      `Correct it, or take it out of "client.scopes"`,
    ),
  );
}
