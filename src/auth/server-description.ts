/** What a FHIR server says about itself before anybody has a token: /metadata and discovery. */
import type { Dispatcher } from 'undici';

import type { Clock, Logger } from '../base/contracts.ts';
import { ProxyError } from '../base/errors.ts';
import { parseWebUrl } from '../base/grammar.ts';
import { createDiscovery, type SmartConfiguration } from './discovery.ts';
import { apiClientsPage, guessFhirBases, parseOpenemrBase } from './fhir-base.ts';
import { type HttpAnswer, requestAnswer } from './http-answer.ts';
import { parseJsonObject, stringMember } from './json-text.ts';
import { isUntrusted, parseNetworkFailure } from './network-failure.ts';
import {
  lacksSystemScopes,
  type OpenidConfiguration,
  requestOpenidConfiguration,
} from './openid-configuration.ts';

/** A FHIR server that was found. */
export interface ServerDescription {
  /** Absolute, without a slash at the end. */
  fhirBase: string;
  /** `software` of its CapabilityStatement; OpenEMR 8 leaves the version out. */
  software: { name?: string; version?: string };
  fhirVersion: string | undefined;
  /** As announced, byte for byte; its host may be one that only the server knows. */
  tokenEndpoint: string;
  /** The token endpoint by the address that we reached the server at; OpenEMR only. */
  reachableTokenEndpoint: string | undefined;
  /** Where a client registers (RFC 7591); undefined when the server announces no such place. */
  registrationEndpoint: string | undefined;
  /** Scopes with the context `system`, of whichever discovery document lists them. */
  systemScopes: readonly string[];
  /** Pages of OpenEMR for people; undefined for another server. */
  pages: { apiClients: string; registerApp: string } | undefined;
}

/** The certificate of the server at this origin is not signed by a trusted authority. */
export interface UntrustedServer {
  untrusted: { origin: string; code: string };
}

/** Means of {@link requestServerDescription}. */
export interface ServerRequestOptions {
  /** Site of OpenEMR; default that of the address, else `default`. */
  site?: string | undefined;
  /** See {@link AnswerRequest.dispatcher}: not bound to one origin. */
  dispatcher: Dispatcher;
  /** Milliseconds for each request. */
  timeoutMs: number;
  clock: Clock;
  logger: Logger;
}

/**
 * Finds the FHIR base that an address means and reads what the server says about itself.
 *
 * @param address see {@link guessFhirBases}
 * @throws ProxyError `address-invalid`, `server-unreachable`, `server-not-found`; TokenError whose
 *   code starts with `discovery-`
 */
export async function requestServerDescription(
  address: string,
  options: ServerRequestOptions,
): Promise<ServerDescription | UntrustedServer> {
  const found = await findFhirBase(guessFhirBases(address, options.site), options);
  if ('untrusted' in found) return found;
  const { fhirBase, capabilities } = found;
  const smart = await createDiscovery({ ...options, fhirBase: new URL(fhirBase) }).get();
  const openemr = parseOpenemrBase(fhirBase);
  const openid = await requestWhatIsMissing(fhirBase, smart, options);
  const systemScopes = [...smart.scopesSupported, ...(openid?.scopesSupported ?? [])];
  const announced = smart.registrationEndpoint ?? openid?.registrationEndpoint;
  const software = objectMember(capabilities, 'software');
  const [name, version] = [stringMember(software, 'name'), stringMember(software, 'version')];
  return {
    fhirBase,
    software: {
      ...(name === undefined ? {} : { name }),
      ...(version === undefined ? {} : { version }),
    },
    fhirVersion: stringMember(capabilities, 'fhirVersion'),
    tokenEndpoint: smart.tokenEndpoint,
    reachableTokenEndpoint: openemr && `${openemr.root}/oauth2/${openemr.site}/token`,
    registrationEndpoint:
      announced && openemr
        ? `${openemr.root}/oauth2/${openemr.site}/registration`
        : registrationUrl(announced, fhirBase),
    systemScopes: [...new Set(systemScopes)].filter((scope) => scope.startsWith('system/')),
    pages: openemr && {
      apiClients: apiClientsPage(openemr.root),
      registerApp: `${openemr.root}/interface/smart/register-app.php`,
    },
  };
}

/** Where a client may register itself: a URL, and https where the server is; undefined otherwise. */
function registrationUrl(announced: string | undefined, fhirBase: string): string | undefined {
  const url = announced === undefined ? undefined : parseWebUrl(announced);
  const isDowngrade = fhirBase.startsWith('https:') && url?.protocol === 'http:';
  return url === undefined || isDowngrade ? undefined : announced;
}

interface FoundBase {
  fhirBase: string;
  capabilities: Record<string, unknown>;
}

async function findFhirBase(
  bases: readonly string[],
  options: ServerRequestOptions,
): Promise<FoundBase | UntrustedServer> {
  const tried: string[] = [];
  const dead = new Set<string>();
  const queue = [...bases];
  for (let base = queue.shift(); base !== undefined; base = queue.shift()) {
    const { origin } = new URL(base);
    if (dead.has(origin)) continue;
    let answer: HttpAnswer;
    try {
      answer = await requestJson(`${base}/metadata`, options);
    } catch (error) {
      const { code, reason, remedy } = parseNetworkFailure(error);
      if (isUntrusted(code)) return { untrusted: { origin, code } };
      dead.add(origin);
      tried.push(`"${origin}": ${reason}; ${remedy}`);
      continue;
    }
    const capabilities = answer.status === 200 ? parseJsonObject(answer.body) : undefined;
    if (capabilities?.['resourceType'] === 'CapabilityStatement') {
      return { fhirBase: base, capabilities };
    }
    const moved = redirectedBase(answer, base);
    if (moved !== undefined && !tried.some((line) => line.startsWith(`"${moved}/metadata"`))) {
      queue.unshift(moved);
    }
    tried.push(`"${base}/metadata": ${describeAnswer(answer)}`);
  }
  throw refuse(tried, dead.size, bases);
}

function refuse(tried: readonly string[], dead: number, bases: readonly string[]): ProxyError {
  const origins = new Set(bases.map((base) => new URL(base).origin));
  const list = tried.map((line) => `\n  ${line}`).join('');
  return dead === origins.size
    ? new ProxyError('server-unreachable', `no answer from the server:${list}`)
    : new ProxyError(
        'server-not-found',
        `no FHIR API was found; expected a CapabilityStatement. Give the FHIR base itself, and switch on Admin > Config > Connectors > "Enable OpenEMR Standard FHIR REST API". Tried:${list}`,
      );
}

function describeAnswer({ status, location, contentType }: HttpAnswer): string {
  if (location !== undefined) return `${status}, redirected elsewhere`;
  return `${status}${contentType === undefined ? '' : `, ${contentType.split(';')[0]?.slice(0, 60)}`}`;
}

/** A redirect from http to https of the same host, which Apache often has. */
function redirectedBase({ status, location }: HttpAnswer, base: string): string | undefined {
  if (status < 300 || status >= 400 || location === undefined) return undefined;
  if (!URL.canParse(location, base)) return undefined;
  const target = new URL(location, base);
  const isSame = target.hostname === new URL(base).hostname && /^https?:$/.test(target.protocol);
  return isSame && target.pathname.endsWith('/metadata')
    ? `${target.origin}${target.pathname.slice(0, -'/metadata'.length)}`
    : undefined;
}

/** OpenEMR 8 lists its system scopes and its registration endpoint in its OpenID configuration alone. */
async function requestWhatIsMissing(
  fhirBase: string,
  smart: SmartConfiguration,
  options: ServerRequestOptions,
): Promise<OpenidConfiguration | undefined> {
  const isComplete =
    smart.registrationEndpoint !== undefined && !lacksSystemScopes(smart.scopesSupported);
  if (isComplete) return undefined;
  const openemr = parseOpenemrBase(fhirBase);
  const issuer = openemr
    ? `${openemr.root}/oauth2/${openemr.site}`
    : (smart.issuer ?? fhirBase).replace(/\/+$/, '');
  const url = `${issuer}/.well-known/openid-configuration`;
  return requestOpenidConfiguration(url, options).catch(() => undefined);
}

function requestJson(url: string, options: ServerRequestOptions): Promise<HttpAnswer> {
  return requestAnswer({ ...options, url, method: 'GET', headers: { accept: 'application/json' } });
}

function objectMember(object: Record<string, unknown>, name: string): Record<string, unknown> {
  const value = object[name];
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
