/**
 * A recorded exchange as JSON: `request` (optional), `response` and `error_log_lines`. People write
 * one to have a failure explained that they met without this proxy.
 */
import { z } from 'zod';

import { ProxyError } from '../base/errors.ts';
import { parseInteraction } from '../fhir/interaction.ts';
import { parseLogLines } from './error-log/reader.ts';
import type { Evidence, Stage } from './evidence.ts';

const LONGEST_BODY_CHARACTERS = 65_536;

const exchangeSchema = z.looseObject({
  request: z
    .looseObject({
      method: z.string().default('GET'),
      url: z.string(),
      headers: z.record(z.string(), z.unknown()).default({}),
      form: z.record(z.string(), z.unknown()).optional(),
      assertion_decoded: z
        .looseObject({
          header: z.looseObject({ alg: z.string().optional(), kid: z.string().optional() }),
          claims: z.looseObject({ aud: z.union([z.string(), z.array(z.string())]).optional() }),
        })
        .optional()
        .catch(undefined),
    })
    .optional(),
  response: z.looseObject({
    status: z.int().min(100).max(599),
    headers: z.record(z.string(), z.unknown()).default({}),
    body: z.unknown(),
  }),
  error_log_lines: z.array(z.string()).optional(),
});

type ExchangeRequest = NonNullable<z.output<typeof exchangeSchema>['request']>;

/**
 * Judges the text of an exchange file.
 *
 * @throws ProxyError `exchange-file-invalid` when it is no JSON, or when `response.status` is missing
 */
export function parseExchangeFile(text: string): Evidence {
  const { request, response, error_log_lines: lines } = parseShape(text);
  const { status, headers, body } = response;
  const raw = typeof body === 'string' ? body : body ? JSON.stringify(body) : '';
  const contentType = fieldOf(headers, 'content-type');
  return {
    status,
    body: raw.slice(0, LONGEST_BODY_CHARACTERS),
    ...(contentType === undefined ? {} : { contentType }),
    logEntries: parseLogLines((lines ?? []).join('\n')),
    logFollowed: lines !== undefined,
    ...(request === undefined ? {} : evidenceOfRequest(request, body)),
  };
}

function parseShape(text: string): z.output<typeof exchangeSchema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid('is not JSON; expected an object with "response" and "error_log_lines"');
  }
  const result = exchangeSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalid(
    `is not as expected at "${issue?.path.join('.') ?? ''}": ${issue?.message ?? ''}; expected {"response": {"status": 401, "body": …}, "error_log_lines": ["…"]}`,
  );
}

function invalid(what: string): ProxyError {
  return new ProxyError('exchange-file-invalid', `the exchange file ${what}`);
}

function evidenceOfRequest(request: ExchangeRequest, body: unknown): Partial<Evidence> {
  const { method, url, headers, form, assertion_decoded: assertion } = request;
  const { pathname, search, origin } = URL.canParse(url)
    ? new URL(url)
    : { pathname: url.replace(/\?.*/s, ''), search: url.replace(/^[^?]*/s, ''), origin: '' };
  const stage = stageOf(pathname);
  const scope = form?.['scope'];
  const granted: unknown = (body as { scope?: unknown } | null)?.scope;
  const aud = assertion?.claims.aud;
  const fhirAt = /\/fhir(?=\/|$)/.exec(pathname);
  const belowFhir = fhirAt === null ? undefined : pathname.slice(fhirAt.index + '/fhir'.length);
  return {
    stage,
    requestMethod: method,
    requestPath: pathname,
    parameterNames: form === undefined ? namesOf(search) : Object.keys(form),
    authorization: schemeOf(fieldOf(headers, 'authorization')),
    ...(typeof scope === 'string' ? { requestedScopes: scope.split(/\s+/).filter(Boolean) } : {}),
    ...(stage === 'token' ? { tokenEndpoint: `${origin}${pathname}` } : {}),
    ...(stage === 'token' && typeof granted === 'string'
      ? { grantedScopes: granted.split(' ').filter(Boolean) }
      : {}),
    ...(belowFhir === undefined ? {} : { interaction: parseInteraction(method, belowFhir) }),
    ...(fhirAt === null || origin === ''
      ? {}
      : { fhirBase: `${origin}${pathname.slice(0, fhirAt.index)}/fhir` }),
    ...(aud === undefined
      ? {}
      : {
          signed: {
            aud: typeof aud === 'string' ? aud : aud.join(' '),
            alg: assertion?.header.alg ?? 'none',
            ...(assertion?.header.kid === undefined ? {} : { kid: assertion.header.kid }),
          },
        }),
  };
}

function stageOf(path: string): Stage {
  if (path.endsWith('/registration')) return 'registration';
  if (/^(?:\/[^/]+)?\/oauth2\/(?!.*\.well-known)/.test(path)) return 'token';
  return /\/(?:metadata|\.well-known\/[\w-]+)\/?$/.test(path) ? 'discovery' : 'fhir';
}

function schemeOf(authorization: string | undefined): NonNullable<Evidence['authorization']> {
  if (authorization === undefined || /^(?:Bearer)?\s*$/.test(authorization)) return 'none';
  return authorization.startsWith('Bearer ') ? 'bearer' : 'other';
}

function namesOf(search: string): string[] {
  return [...new Set(new URLSearchParams(search).keys())];
}

function fieldOf(headers: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const key = Object.keys(headers).find((candidate) => candidate.toLowerCase() === name);
  const value = key === undefined ? undefined : headers[key];
  return typeof value === 'string' ? value : undefined;
}
