/**
 * Which OpenEMR a route leads to. Scopes, error answers and hints differ between two families: up to
 * 7.0.3, and from 7.0.4 on. The version is asked for once the server is in use anyway, in the
 * background; nothing waits for it.
 */
import type { Dispatcher } from 'undici';

import type { Discovery, SmartConfiguration } from '../auth/discovery.ts';
import { parseOpenemrTokenEndpoint } from '../auth/fhir-base.ts';
import { type HttpAnswer, requestAnswer } from '../auth/http-answer.ts';
import { parseJsonObject, stringMember } from '../auth/json-text.ts';
import type { Clock, Logger } from '../base/contracts.ts';
import { isModernVersion } from '../fhir/openemr-version.ts';

/** What is known of a server's version. */
export interface ServerVersion {
  /** As the server tells it, such as `7.0.3`; undefined when only its family is known. */
  readonly version?: string;
  /** Whether it is of the family of 7.0.4 and later. */
  readonly modern: boolean;
  /**
   * How it is known: `software.version` of the CapabilityStatement, OpenEMR's open `/api/version`, the
   * shape of its discovery documents; `assumed` when nothing tells.
   */
  readonly source: 'metadata' | 'api-version' | 'discovery' | 'assumed';
  /** For people: `OpenEMR 7.0.3`, `OpenEMR 7.0.4 or later`. */
  readonly label: string;
  /** For {@link isModernVersion} and the hints: the version, or one of the family. */
  readonly comparable: string;
}

/** The version of one route's server. */
export interface ServerVersionSource {
  /** What is known by now; at first what the shape of discovery tells. */
  known(): ServerVersion | undefined;
  /**
   * Has it found in a moment, so that the requests which wait for the server now come first. Nothing
   * happens when it was found within the last hour.
   */
  findSoon(): void;
  /**
   * Asks for it unless that was done within the last hour or is under way. Never rejects: a server that
   * does not answer counts as unknown, and is asked again at the next call.
   */
  find(): Promise<ServerVersion>;
  /** Nothing is asked any more. */
  close(): void;
}

/** Settings of {@link createServerVersionSource}. */
export interface ServerVersionOptions {
  /** FHIR base URL, without a slash at the end. */
  fhirBase: string;
  discovery: Pick<Discovery, 'get' | 'last'>;
  dispatcher: Dispatcher;
  /** Milliseconds for each request. */
  timeoutMs: number;
  clock: Clock;
  logger: Logger;
  /** Milliseconds from `findSoon` to the first request; default 2 s. */
  delayMs?: number;
}

const DELAY_MS = 2_000;
/** A server may be upgraded while the proxy runs. */
const FRESH_MS = 3_600_000;

/** Knows nothing, and asks nothing, until `find` is called. */
export function createServerVersionSource(options: ServerVersionOptions): ServerVersionSource {
  const { clock, logger, fhirBase, discovery, delayMs = DELAY_MS } = options;
  let known: ServerVersion | undefined;
  let foundAtMs = Number.NEGATIVE_INFINITY;
  let finding: Promise<ServerVersion> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const isFresh = () => known !== undefined && clock.now() - foundAtMs < FRESH_MS;

  const find = async (): Promise<ServerVersion> => {
    const found = await requestServerVersion(options);
    const told = found.source !== 'assumed';
    if (told) foundAtMs = clock.now();
    if (!closed && known?.label !== found.label && (told || known === undefined)) {
      const { label, source } = found;
      logger.info(
        { upstream: fhirBase, version: found.version, source },
        told
          ? `the server is ${label}`
          : `the server does not tell its version: it is taken for ${label}`,
      );
    }
    if (told || known === undefined) known = found;
    return known;
  };

  const source: ServerVersionSource = {
    known() {
      if (known !== undefined && known.source !== 'assumed') return known;
      const smart = discovery.last();
      return (smart === undefined ? undefined : judgeSmartConfiguration(smart)) ?? known;
    },
    findSoon() {
      if (closed || timer !== undefined || isFresh()) return;
      timer = setTimeout(() => {
        timer = undefined;
        void source.find();
      }, delayMs).unref();
    },
    find() {
      if (known !== undefined && isFresh()) return Promise.resolve(known);
      finding ??= find().finally(() => (finding = undefined));
      return finding;
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
  return source;
}

/** Asks a server for its version; never rejects. */
export async function requestServerVersion(options: ServerVersionOptions): Promise<ServerVersion> {
  const { fhirBase, discovery } = options;
  const [statement, smart] = await Promise.all([
    requestJson(`${fhirBase}/metadata`, options),
    discovery.get().catch(() => undefined),
  ]);
  const byStatement = judgeStatement(statement);
  if (byStatement !== undefined) return byStatement;
  const byShape = smart === undefined ? undefined : judgeSmartConfiguration(smart);
  // Open since 7.0.4; on older ones, and on other servers, it would ask for something else's login.
  const apiVersion = /^(.*\/apis\/[^/]+)\/fhir$/.exec(fhirBase)?.[1];
  if (byShape?.modern !== true || apiVersion === undefined) return byShape ?? UNKNOWN;
  return judgeApiVersion(await requestJson(`${apiVersion}/api/version`, options)) ?? byShape;
}

/** By `software.version` of a CapabilityStatement; undefined when it tells none. */
export function judgeStatement(
  statement: Readonly<Record<string, unknown>> | undefined,
): ServerVersion | undefined {
  const software: unknown = statement?.['software'];
  if (typeof software !== 'object' || software === null) return undefined;
  const name = stringMember(software as Record<string, unknown>, 'name');
  const version = stringMember(software as Record<string, unknown>, 'version');
  if (version === undefined || !/^v?\d+\.\d+/.test(version)) return undefined;
  return told(version, 'metadata', name);
}

/** By what only one of the families announces; undefined when that tells nothing. */
export function judgeSmartConfiguration(smart: SmartConfiguration): ServerVersion | undefined {
  const { capabilities, tokenEndpoint } = smart;
  // Other servers have such capabilities, too.
  if (parseOpenemrTokenEndpoint(tokenEndpoint) === undefined) return undefined;
  const modern = capabilities.includes('permission-v2');
  return {
    modern,
    source: 'discovery',
    label: modern ? 'OpenEMR 7.0.4 or later' : 'OpenEMR 7.0.3 or older',
    comparable: modern ? '7.0.4' : '7.0.3',
  };
}

/** By the answer of `/api/version`: `{"v_major":"8","v_minor":"0","v_patch":"0","v_tag":"-dev",…}`. */
function judgeApiVersion(
  answer: Readonly<Record<string, unknown>> | undefined,
): ServerVersion | undefined {
  const numbers = ['v_major', 'v_minor', 'v_patch'].map(
    (name) => stringMember(answer ?? {}, name) ?? '',
  );
  if (!numbers.every((number) => /^\d{1,4}$/.test(number))) return undefined;
  const tag = stringMember(answer ?? {}, 'v_tag') ?? '';
  return told(`${numbers.join('.')}${/^-[\w.-]{1,20}$/.test(tag) ? tag : ''}`, 'api-version');
}

const UNKNOWN: ServerVersion = {
  modern: true,
  source: 'assumed',
  label: 'OpenEMR 7.0.4 or later',
  comparable: '7.0.4',
};

function told(version: string, source: ServerVersion['source'], name = 'OpenEMR'): ServerVersion {
  const shown = `${name} ${version}`.replaceAll(/[^\x20-\x7e]/g, '').slice(0, 60);
  // Of another product the number says nothing about the family.
  const comparable = name === 'OpenEMR' ? version : UNKNOWN.comparable;
  return { version, modern: isModernVersion(comparable), source, label: shown, comparable };
}

async function requestJson(
  url: string,
  { dispatcher, timeoutMs, clock, logger }: ServerVersionOptions,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  let answer: HttpAnswer;
  try {
    const headers = { accept: 'application/json' };
    answer = await requestAnswer({ url, method: 'GET', headers, dispatcher, timeoutMs, clock });
  } catch (error) {
    logger.debug(
      { url },
      `the server's version could not be asked for: ${(error as Error).message}`,
    );
    return undefined;
  }
  return answer.status === 200 ? parseJsonObject(answer.body) : undefined;
}
