/**
 * What OpenEMR tells in its OpenID configuration alone: since 7.0.4 the SMART configuration lists no
 * scope of a system client, and names no registration endpoint.
 */
import type { Dispatcher } from 'undici';

import type { Clock } from '../base/contracts.ts';
import { parseOpenemrTokenEndpoint } from './fhir-base.ts';
import { requestAnswer } from './http-answer.ts';
import { parseJsonObject, urlMember, wordsMember } from './json-text.ts';

/** The members of interest (OpenID Connect Discovery 1.0 section 3). */
export interface OpenidConfiguration {
  readonly scopesSupported: readonly string[];
  readonly registrationEndpoint?: string;
}

/** Beside OpenEMR's token endpoint, `…/oauth2/SITE/token`; undefined for the endpoint of another server. */
export function openidConfigurationUrl(tokenEndpoint: string): string | undefined {
  const openemr = parseOpenemrTokenEndpoint(tokenEndpoint);
  return openemr && `${openemr.root}/oauth2/${openemr.site}/.well-known/openid-configuration`;
}

/** Whether a list of scopes leaves out those of system clients. */
export function lacksSystemScopes(scopes: readonly string[]): boolean {
  return !scopes.some((scope) => scope.startsWith('system/'));
}

/** Fetches it; undefined when the answer is not one. Rejects when none comes. */
export async function requestOpenidConfiguration(
  url: string,
  options: { dispatcher: Dispatcher; timeoutMs: number; clock: Clock },
): Promise<OpenidConfiguration | undefined> {
  const headers = { accept: 'application/json' };
  const answer = await requestAnswer({ url, method: 'GET', headers, ...options });
  const json =
    answer.status === 200 && !answer.truncated ? parseJsonObject(answer.body) : undefined;
  if (json === undefined) return undefined;
  const registrationEndpoint = urlMember(json, 'registration_endpoint');
  return {
    scopesSupported: wordsMember(json, 'scopes_supported'),
    ...(registrationEndpoint === undefined ? {} : { registrationEndpoint }),
  };
}
