/** Turns a failure of the version profile into an answer, and writes its log lines. */
import type { Field, SandboxAnswer, SandboxRequest } from './exchange.ts';
import type { FieldOptions } from './exchange.ts';
import { EMPTY_TYPE } from './fields.ts';
import { phpJson } from './php-json.ts';
import type {
  ApiFailureName,
  Failure,
  FailureDetail,
  OauthFailureName,
} from './versions/failure.ts';
import type { SandboxState } from './versions/profile.ts';

/** A failure under /oauth2. */
export function refuseOauth(
  request: SandboxRequest,
  state: SandboxState,
  name: OauthFailureName,
  detail: FailureDetail = {},
): SandboxAnswer {
  return answerOauthFailure(request, state, state.version.oauthFailure(name, detail));
}

/** A failure under /oauth2 that a rule of the version has described itself. */
export function answerOauthFailure(
  request: SandboxRequest,
  state: SandboxState,
  failure: Failure,
): SandboxAnswer {
  const { authorization } = request.headers;
  const challenge =
    failure.challenge === true && authorization !== undefined && authorization !== ''
      ? `${authorization.startsWith('Bearer') ? 'Bearer' : 'Basic'} realm="OAuth"`
      : undefined;
  const fields = state.version.http.oauthFields(request, state.clock.now(), {
    ...fieldOptions(failure),
    ...(challenge === undefined ? {} : { challenge }),
  });
  const answer = finish(request, state, failure, fields);
  // PHP's header() raises the status to 401 when it is given a WWW-Authenticate field.
  return challenge === undefined ? answer : { ...answer, status: 401 };
}

/** A failure under /apis. */
export function refuseApi(
  request: SandboxRequest,
  state: SandboxState,
  name: ApiFailureName,
  detail: FailureDetail = {},
): SandboxAnswer {
  return answerApiFailure(request, state, state.version.apiFailure(name, detail));
}

/** A failure under /apis that a rule of the version has described itself. */
export function answerApiFailure(
  request: SandboxRequest,
  state: SandboxState,
  failure: Failure,
): SandboxAnswer {
  const fields = state.version.http.apiFields(request, state.clock.now(), fieldOptions(failure));
  return finish(request, state, failure, fields);
}

function fieldOptions({ session, cors }: Failure): FieldOptions {
  return {
    ...(session === undefined ? {} : { session }),
    ...(cors === undefined ? {} : { cors }),
  };
}

function finish(
  request: SandboxRequest,
  state: SandboxState,
  failure: Failure,
  fields: Field[],
): SandboxAnswer {
  for (const message of failure.log ?? []) request.log.write(message);
  const { body } = failure;
  const text =
    typeof body === 'string'
      ? body
      : phpJson(body, { markup: state.version.http.hexesMarkup && failure.plainJson !== true });
  const type = failure.contentType ?? (typeof body === 'string' ? EMPTY_TYPE : 'application/json');
  return { status: failure.status, fields: [...fields, ['Content-Type', type]], body: text };
}
