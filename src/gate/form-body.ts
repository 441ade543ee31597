/** Form bodies: PHP reads parameters from them as it does from the query. */
import { ProxyError } from '../base/errors.ts';
import type { BodyJudge } from './admission.ts';
import { REWRITE_COMMAND, hasPhpParameter } from './php-name.ts';

/** Longest form body that is looked into; a search that needs more is not one. */
const MAX_FORM_BYTES = 1_048_576;

/** How a body of this media type is read, or undefined when it is no form. */
export function formKind(contentType: string): 'urlencoded' | 'multipart' | undefined {
  if (contentType === '') return undefined;
  const lower = contentType.toLowerCase();
  if (lower.includes('multipart/')) return 'multipart';
  // PHP also ends the media type at a comma or a space, so it need not stand alone.
  return lower.includes('x-www-form-urlencoded') ? 'urlencoded' : undefined;
}

/**
 * Judges a urlencoded form by the names of its parameters.
 *
 * @param names parameters that may not occur, as PHP calls them
 */
export function createFormJudge(names: readonly string[]): BodyJudge {
  return {
    maxBytes: MAX_FORM_BYTES,
    judge(body) {
      const text = body.toString('latin1');
      const found = names.find((name) => hasPhpParameter(text, name));
      return found === undefined ? undefined : refuseParameter(found, 'form body');
    },
    tooLarge: () =>
      new ProxyError(
        'body-too-large',
        `the form body is longer than ${MAX_FORM_BYTES} bytes and cannot be checked: send less in one search`,
        { status: 413 },
      ),
  };
}

/** The refusal of a parameter that would replace the path or the method (`parameter-refused`, 400). */
export function refuseParameter(name: string, where: 'query' | 'form body'): ProxyError {
  const effect = name === REWRITE_COMMAND ? 'path' : 'method';
  return new ProxyError(
    'parameter-refused',
    `the ${where} has a parameter that the server may read as "${name}", which replaces the ${effect}: leave it out`,
    { status: 400 },
  );
}

/** The refusal of a form body that is compressed and so cannot be searched (`body-refused`, 415). */
export function refuseEncodedForm(): ProxyError {
  return new ProxyError(
    'body-refused',
    'the form body has a "Content-Encoding" and cannot be checked: send it without',
    { status: 415 },
  );
}
