import { ProxyError } from '../base/errors.ts';
/** The gate of one route: what may be asked below its path. */
import type { RouteConfig } from '../config/schema.ts';
import type { Interaction } from '../fhir/interaction.ts';
import { createAccessRules } from './access.ts';
import type { AccessRules } from './access.ts';
import type { Admission, BodyJudge } from './admission.ts';
import { createBundleJudge } from './bundle-body.ts';
import type { ScannedFields } from './field-scan.ts';
import { createFormJudge, formKind, refuseEncodedForm, refuseParameter } from './form-body.ts';
import { createMultipartJudge, refuseMultipart } from './multipart.ts';
import { parseParameterNames } from './parameter-names.ts';
import { METHOD_PARAMETER, REWRITE_COMMAND, hasPhpParameter } from './php-name.ts';
import { readInteraction } from './request-interaction.ts';

/** A request whose host, origin and target have been checked. */
export interface CheckedRequest {
  method: string;
  /** Request target as sent. */
  url: string;
  path: string;
  /** Without its question mark; empty when there is none. */
  query: string;
  fields: ScannedFields;
  corsFields: readonly string[];
}

/** One route as the gate sees it. */
export interface RouteGate {
  readonly base: string;
  readonly rules: AccessRules;
  admit(request: CheckedRequest): Admission;
}

/** The gate of one route. */
export function createRouteGate(route: RouteConfig): RouteGate {
  const base = route.path;
  const rules = createAccessRules(route.access);
  const { maxBodyBytes, multipart } = route.access;
  const bundleJudge = rules.judgesBatches ? createBundleJudge(rules) : undefined;
  const steering = rules.readOnly ? [REWRITE_COMMAND, METHOD_PARAMETER] : [REWRITE_COMMAND];
  const formJudge = createFormJudge(steering);

  return { base, rules, admit };

  function admit(request: CheckedRequest): Admission {
    const { method, url, query, corsFields } = request;
    const interaction = readInteraction(method, request.path.slice(base.length));
    const error =
      rules.check(method, interaction) ??
      checkQuery(method, query) ??
      checkLength(request.fields, maxBodyBytes);
    if (error !== undefined) return refused(error, corsFields);
    const admission: Admission = {
      kind: 'route',
      route,
      target: url.slice(base.length),
      interaction,
      parameterNames: parseParameterNames(query),
      corsFields,
    };
    const judgeBody = checkBody(request.fields, interaction);
    if (judgeBody instanceof ProxyError) return refused(judgeBody, corsFields);
    return judgeBody === undefined ? admission : { ...admission, judgeBody };
  }

  function checkQuery(method: string, query: string): ProxyError | undefined {
    if (query === '') return undefined;
    if (hasPhpParameter(query, REWRITE_COMMAND)) return refuseParameter(REWRITE_COMMAND, 'query');
    if (rules.readOnly && method === 'POST' && hasPhpParameter(query, METHOD_PARAMETER)) {
      return refuseParameter(METHOD_PARAMETER, 'query');
    }
    return undefined;
  }

  function checkBody(
    fields: ScannedFields,
    interaction: Interaction,
  ): BodyJudge | ProxyError | undefined {
    // A Bundle comes first: a form is none, so that a form sent as one is refused by its judge.
    if (interaction.name === 'batch' && bundleJudge !== undefined) return bundleJudge;
    const kind = formKind(fields.contentType);
    if (kind === undefined) return undefined;
    if (fields.contentEncoding !== '' && fields.contentEncoding.toLowerCase() !== 'identity') {
      return refuseEncodedForm();
    }
    if (kind === 'urlencoded') return formJudge;
    return multipart ? createMultipartJudge(fields.contentType, steering) : refuseMultipart();
  }

  function refused(error: ProxyError, corsFields: readonly string[]): Admission {
    if (error.status !== 405) {
      return corsFields.length === 0
        ? { kind: 'refused', error }
        : { kind: 'refused', error, fields: corsFields };
    }
    return { kind: 'refused', error, fields: ['Allow', rules.allow, ...corsFields] };
  }
}

/** A body is measured before it begins, so one whose length is not announced cannot be taken. */
function checkLength(
  { contentLength, transferEncoding }: ScannedFields,
  maxBodyBytes: number | undefined,
): ProxyError | undefined {
  if (maxBodyBytes === undefined) return undefined;
  if (transferEncoding !== '') {
    return new ProxyError(
      'length-required',
      'this route has "access.maxBodyBytes" and the length of the body is not announced: send "Content-Length"',
      { status: 411 },
    );
  }
  if (Number(contentLength) <= maxBodyBytes) return undefined;
  return new ProxyError(
    'body-too-large',
    `the request body is longer than ${maxBodyBytes} bytes: send less, or raise "access.maxBodyBytes" of this route`,
    { status: 413 },
  );
}
