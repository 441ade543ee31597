/** Finds the token endpoint of a FHIR server by its SMART configuration. */
import type { Dispatcher } from 'undici';

import type { Clock, Logger } from '../base/contracts.ts';
import { TokenError } from '../base/errors.ts';
import { LONGEST_URL } from '../base/grammar.ts';
import { type HttpAnswer, keptAnswer, requestAnswer } from './http-answer.ts';
import { parseJsonObject, stringMember, urlMember, wordsMember } from './json-text.ts';
import { parseNetworkFailure } from './network-failure.ts';
import {
  lacksSystemScopes,
  openidConfigurationUrl,
  requestOpenidConfiguration,
} from './openid-configuration.ts';
import { isSameService } from './same-service.ts';

/** What a SMART configuration says (SMART App Launch 2.2, section Conformance), as far as a backend client needs it. */
export interface SmartConfiguration {
  /** `token_endpoint`, an absolute http(s) URL, byte for byte as announced: OpenEMR compares `aud` with it so. */
  readonly tokenEndpoint: string;
  readonly issuer?: string;
  readonly jwksUri?: string;
  /** As announced; to be checked before anything is sent there. OpenEMR has it at a fixed place. */
  readonly registrationEndpoint?: string;
  readonly scopesSupported: readonly string[];
  readonly grantTypesSupported: readonly string[];
  readonly tokenEndpointAuthMethodsSupported: readonly string[];
  readonly tokenEndpointAuthSigningAlgValuesSupported: readonly string[];
  readonly capabilities: readonly string[];
  /** Milliseconds since the epoch. */
  readonly fetchedAtMs: number;
}

/** The SMART configuration of one FHIR server, fetched when needed. */
export interface Discovery {
  /** Where it is fetched from. */
  readonly url: string;
  /**
   * The configuration, at most an hour old; concurrent callers share one request. When fetching anew
   * fails, the old one goes on being used, except after {@link reset}. Rejects with TokenError.
   */
  get(): Promise<SmartConfiguration>;
  /**
   * The same, with the scopes of system clients and the registration endpoint also where OpenEMR tells
   * them in its OpenID configuration only. That one is asked for in the background after every `get`
   * that fetched; nobody but the callers of this waits for it. Rejects as `get` does.
   */
  complete(): Promise<SmartConfiguration>;
  /** The configuration fetched last, whatever its age. */
  last(): SmartConfiguration | undefined;
  /** The next `get` fetches anew. */
  reset(): void;
}

/** Settings of {@link createDiscovery}. */
export interface DiscoveryOptions {
  /** FHIR base URL; a trailing slash makes no difference. */
  fhirBase: URL;
  /** See {@link AnswerRequest.dispatcher}: not bound to one origin. */
  dispatcher: Dispatcher;
  /** Milliseconds for the request. */
  timeoutMs: number;
  /** Whether "tls.ca" is set, for the words about a certificate that is not trusted; default no. */
  hasAuthority?: boolean | undefined;
  clock: Clock;
  logger: Logger;
}

const FRESH_MS = 3_600_000;
const REMEDY = 'or set "tokenEndpoint"';

/** Discovery by `<FHIR base>/.well-known/smart-configuration`. */
export function createDiscovery(options: DiscoveryOptions): Discovery {
  const { fhirBase, clock, logger } = options;
  const url = smartConfigurationUrl(fhirBase);
  let last: SmartConfiguration | undefined;
  let mustFetch = true;
  let inFlight: Promise<SmartConfiguration> | undefined;
  let completing: Promise<void> | undefined;

  const isFresh = ({ fetchedAtMs }: SmartConfiguration) => {
    const ageMs = clock.now() - fetchedAtMs;
    return ageMs >= 0 && ageMs < FRESH_MS;
  };

  const completeFrom = async (read: SmartConfiguration) => {
    const openid = await requestMissing(read, options);
    if (openid !== undefined && last === read) last = { ...read, ...openid };
  };

  const fetchAnew = async () => {
    const fallback = mustFetch ? undefined : last;
    mustFetch = false;
    try {
      last = await requestSmartConfiguration(url, options);
      logger.debug({ tokenEndpoint: last.tokenEndpoint }, 'SMART configuration read');
      completing = completeFrom(last);
      return last;
    } catch (error) {
      if (fallback === undefined) {
        mustFetch = true;
        throw error;
      }
      last = { ...fallback, fetchedAtMs: clock.now() };
      logger.warn(
        { code: (error as TokenError).code },
        `the SMART configuration could not be read again, the old one stays in use: ${(error as Error).message}`,
      );
      return last;
    } finally {
      inFlight = undefined;
    }
  };

  const discovery: Discovery = {
    url,
    get() {
      if (last !== undefined && !mustFetch && isFresh(last)) return Promise.resolve(last);
      inFlight ??= fetchAnew();
      return inFlight;
    },
    async complete() {
      const read = await discovery.get();
      await completing;
      return last ?? read;
    },
    last: () => last,
    reset() {
      mustFetch = true;
    },
  };
  return discovery;
}

/** What the OpenID configuration adds to a SMART configuration; undefined when nothing is missing or to be had. */
async function requestMissing(
  { tokenEndpoint, scopesSupported, registrationEndpoint }: SmartConfiguration,
  options: DiscoveryOptions,
): Promise<Partial<SmartConfiguration> | undefined> {
  const url = openidConfigurationUrl(tokenEndpoint);
  if (url === undefined || !lacksSystemScopes(scopesSupported)) return undefined;
  // A document of this server does not choose which other server is asked.
  if (!isSameService(new URL(url), options.fhirBase)) return undefined;
  try {
    const openid = await requestOpenidConfiguration(url, options);
    if (openid === undefined) return undefined;
    const registration = registrationEndpoint ?? openid.registrationEndpoint;
    return {
      scopesSupported: [...new Set([...scopesSupported, ...openid.scopesSupported])],
      ...(registration === undefined ? {} : { registrationEndpoint: registration }),
    };
  } catch (error) {
    options.logger.debug({ url }, `no OpenID configuration: ${(error as Error).message}`);
    return undefined;
  }
}

/** `<FHIR base>/.well-known/smart-configuration` (SMART App Launch 2.2, section Conformance). */
export function smartConfigurationUrl(fhirBase: URL): string {
  const url = new URL(fhirBase);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/.well-known/smart-configuration`;
  url.search = '';
  url.hash = '';
  return url.href;
}

async function requestSmartConfiguration(
  url: string,
  { dispatcher, timeoutMs, clock, hasAuthority }: DiscoveryOptions,
): Promise<SmartConfiguration> {
  let answer: HttpAnswer;
  try {
    const headers = { accept: 'application/json' };
    answer = await requestAnswer({ url, method: 'GET', headers, dispatcher, timeoutMs, clock });
  } catch (error) {
    const { reason, remedy, kind } = parseNetworkFailure(error, { hasAuthority });
    throw new TokenError(
      'discovery-unreachable',
      // A token endpoint at the same server would be as far away: it is not offered as a way out.
      `the SMART configuration at "${url}" could not be read: ${reason}; ${remedy}`,
      { kind, cause: error },
    );
  }
  return processSmartConfiguration(answer, url, clock.now());
}

/**
 * Judges an answer to the request for a SMART configuration.
 *
 * @throws TokenError `discovery-failed` (a status other than 200) or `discovery-malformed`
 */
function processSmartConfiguration(
  answer: HttpAnswer,
  url: string,
  fetchedAtMs: number,
): SmartConfiguration {
  const { status } = answer;
  if (status !== 200) throw refuseStatus(answer, url);
  const malformed = (problem: string) =>
    new TokenError(
      'discovery-malformed',
      `the SMART configuration at "${url}" ${problem}; check that the upstream is a FHIR base URL, ${REMEDY}`,
      { kind: 'configuration', answer: keptAnswer(answer) },
    );
  if (answer.truncated) throw malformed('is longer than 1 MiB');
  const json = parseJsonObject(answer.body);
  if (json === undefined) throw malformed('is not a JSON object');
  if (typeof json['token_endpoint'] !== 'string') throw malformed('names no "token_endpoint"');
  const tokenEndpoint = urlMember(json, 'token_endpoint');
  if (tokenEndpoint === undefined) {
    throw malformed(
      `has a "token_endpoint" that is not an absolute http or https URL of at most ${LONGEST_URL} characters`,
    );
  }
  const registrationEndpoint = stringMember(json, 'registration_endpoint');
  const optional = (member: string, name: string) => {
    const value = urlMember(json, name);
    return value === undefined ? {} : { [member]: value };
  };
  return {
    tokenEndpoint,
    ...optional('issuer', 'issuer'),
    ...optional('jwksUri', 'jwks_uri'),
    ...(registrationEndpoint === undefined ? {} : { registrationEndpoint }),
    scopesSupported: wordsMember(json, 'scopes_supported'),
    grantTypesSupported: wordsMember(json, 'grant_types_supported'),
    tokenEndpointAuthMethodsSupported: wordsMember(json, 'token_endpoint_auth_methods_supported'),
    tokenEndpointAuthSigningAlgValuesSupported: wordsMember(
      json,
      'token_endpoint_auth_signing_alg_values_supported',
    ),
    capabilities: wordsMember(json, 'capabilities'),
    fetchedAtMs,
  };
}

function refuseStatus(answer: HttpAnswer, url: string): TokenError {
  const { status, retryAfterSeconds } = answer;
  const isRedirect = status >= 300 && status < 400;
  const passes = status >= 500 || status === 429 || status === 408;
  const wayOut = passes ? '' : `, ${REMEDY}`;
  const remedy = isRedirect
    ? 'redirects are not followed: set the upstream to the final address'
    : 'check that the upstream is a FHIR base URL and that its FHIR API is switched on';
  return new TokenError(
    'discovery-failed',
    `the SMART configuration at "${url}" was answered with status ${status}: expected 200; ${remedy}${wayOut}`,
    {
      kind: passes ? 'transient' : 'configuration',
      answer: keptAnswer(answer),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    },
  );
}
