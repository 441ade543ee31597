/** Form bodies: PHP reads parameters from them as it does from the query. */
import { ProxyError } from '../base/errors.ts';
import type { BodyJudge } from './admission.ts';
import { METHOD_PARAMETER, REWRITE_COMMAND, hasPhpParameter } from './php-name.ts';

/** Longest form body that is looked into; a search that needs more is not one. */
const MAX_FORM_BYTES = 1_048_576;

/**
 * The names in a multipart body, where PHP decodes nothing but lets a part's field be folded over
 * two lines. Looked for anywhere, since what counts as a part is a matter of opinion.
 */
const IN_MULTIPART: Readonly<Record<string, RegExp>> = {
  [REWRITE_COMMAND]: /[_ .[]REWRITE(?:[_ .[]|\r?\n[ \t])COMMAND/,
  [METHOD_PARAMETER]: /[_ .[]method/,
};

/** How a body of this media type is read, or undefined when it is no form. */
export function formKind(contentType: string): 'urlencoded' | 'multipart' | undefined {
  if (contentType === '') return undefined;
  const lower = contentType.toLowerCase();
  if (lower.includes('multipart/')) return 'multipart';
  // PHP also ends the media type at a comma or a space, so it need not stand alone.
  return lower.includes('x-www-form-urlencoded') ? 'urlencoded' : undefined;
}

/** @param readOnly whether a parameter that replaces the method is refused as well */
export function createFormJudge(kind: 'urlencoded' | 'multipart', readOnly: boolean): BodyJudge {
  const names = readOnly ? [REWRITE_COMMAND, METHOD_PARAMETER] : [REWRITE_COMMAND];
  return {
    maxBytes: MAX_FORM_BYTES,
    judge(body) {
      const text = body.toString('latin1');
      const found = names.find((name) =>
        kind === 'urlencoded' ? hasPhpParameter(text, name) : IN_MULTIPART[name]?.test(text),
      );
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
