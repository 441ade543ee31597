/** Whether the requested scopes exist, and are spelt as this version of the server spells them. */
import { missingScopes } from '../auth/granted-scopes.ts';
import { parseJsonObject, stringsMember } from '../auth/json-text.ts';
import { judgeScope } from '../hints/scope-spelling.ts';
import type { RouteCheck } from './check.ts';
import { fail, type Finding, ok, warn } from './result.ts';
import type { Subject } from './subject.ts';

const CONNECTORS = 'Admin, Config, Connectors, "Enable OpenEMR FHIR System Scopes"';

/** Judges every requested scope by spelling, and by what the server lists. */
export const scopesCheck: RouteCheck = {
  name: 'scopes',
  needs: ['discovery'],
  async run(subject) {
    const { destination, facts } = subject;
    const { scopes } = destination.client;
    const supported = await listSupported(subject);
    const { modern } = facts;
    const findings: Finding[] = [];
    const wellSpelt: string[] = [];
    for (const scope of scopes) {
      const judgement = judgeScope(scope, { modern, supported });
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
    findings.push(...judgeListed(wellSpelt, supported));
    if (findings.length > 0) return findings;
    const count = scopes.length === 1 ? '1 scope is' : `${scopes.length} scopes are`;
    return [ok(`${count} spelt right and offered by the server`)];
  },
};

function judgeListed(scopes: readonly string[], supported: readonly string[]): Finding[] {
  if (supported.length === 0 || scopes.length === 0) {
    return scopes.length === 0
      ? []
      : [
          warn(
            'the server does not tell which scopes it offers: they are spelt right, no more is known',
          ),
        ];
  }
  const wantsSystem = scopes.some((scope) => scope.startsWith('system/'));
  const offersSystem = supported.some((scope) => /^system\/[A-Za-z]+\.(?!\$)/.test(scope));
  if (wantsSystem && !offersSystem) {
    return [
      fail('the server offers no system scopes', `Switch on ${CONNECTORS} in OpenEMR, then save`),
    ];
  }
  return missingScopes(scopes, supported).map((scope) =>
    fail(
      `scope "${scope}" is not offered by the server, which then refuses the whole token request`,
      `Correct it, or take it out of "client.scopes"`,
    ),
  );
}

/** OpenEMR 7.0.4 and later list system scopes in the OpenID configuration only. */
async function listSupported(subject: Subject): Promise<string[]> {
  const announced = subject.facts.smart?.scopesSupported ?? [];
  if (announced.some((scope) => /^system\/[A-Za-z]+\.(?!\$)/.test(scope))) return [...announced];
  const url = openidConfigurationUrl(subject.base);
  if (url === undefined) return [...announced];
  try {
    const { status, body } = await subject.get(url);
    const json = status === 200 ? parseJsonObject(body) : undefined;
    return json === undefined
      ? [...announced]
      : [...new Set([...announced, ...stringsMember(json, 'scopes_supported')])];
  } catch {
    return [...announced];
  }
}

function openidConfigurationUrl({ origin, pathname }: URL): string | undefined {
  const match = /^(.*)\/apis\/([^/]+)\/fhir\/?$/.exec(pathname);
  return match === null
    ? undefined
    : `${origin}${match[1]}/oauth2/${match[2]}/.well-known/openid-configuration`;
}
