/** What league/oauth2-server answers with in every version of OpenEMR. */
import type { Failure } from './failure.ts';

/** Its words for every `invalid_request`. */
export const MALFORMED =
  'The request is missing a required parameter, includes an invalid parameter value, includes a parameter more than once, or is otherwise malformed.';

/** Its JSON of an error, the members in its order. */
export function oauthError(
  error: string,
  description: string,
  hint?: string,
): Record<string, unknown> {
  return {
    error,
    error_description: description,
    ...(hint === undefined ? {} : { hint }),
    message: description,
  };
}

/** A grant that the server does not have. */
export const GRANT_TYPE_UNSUPPORTED: Failure = {
  status: 400,
  body: oauthError(
    'unsupported_grant_type',
    'The authorization grant type is not supported by the authorization server.',
    'Check that all required parameters have been provided',
  ),
};
