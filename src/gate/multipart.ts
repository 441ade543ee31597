/**
 * Multipart forms (RFC 7578). No FHIR interaction has one, and PHP reads parameters from them by rules of
 * its own: headers of parts may be folded, cut by bare line feeds, repeated or left without an end, so a
 * search for a name does not prove that PHP will not see it. A route refuses them unless its
 * configuration asks for them; then only what has one possible reading passes.
 */
import { ProxyError } from '../base/errors.ts';
import type { BodyJudge } from './admission.ts';
import { phpVariableName } from './php-name.ts';

/** Longest multipart body that is looked into. */
const MAX_MULTIPART_BYTES = 1_048_576;
/** More than any form has; PHP's own limit (max_multipart_body_parts) is of that order. */
const MAX_PARTS = 1_000;

/** One media type, one parameter: a boundary of RFC 2046 section 5.1.1 without spaces. */
const CONTENT_TYPE =
  /^multipart\/form-data;[ \t]*boundary=(?:([\w'()+,./:=?-]{1,70})|"([\w'()+,./:=?-]{1,70})")$/i;
/** `Content-Disposition` of a part with nothing that is quoted twice, escaped or encoded. */
const DISPOSITION =
  /^content-disposition:[ \t]*form-data;[ \t]*name="([\x20\x21\x23-\x5b\x5d-\x7e]{1,200})"(?:;[ \t]*filename="[\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]{0,255}")?$/i;
const PART_TYPE = /^content-type:[ \t]*[\w.+-]+\/[\w.+-]+(?:;[ \t]*charset=[\w-]+)?$/i;

/** The refusal of a multipart body on a route that does not ask for them (`multipart-refused`, 415). */
export function refuseMultipart(): ProxyError {
  return new ProxyError(
    'multipart-refused',
    'multipart bodies are refused: FHIR has none, and OpenEMR reads parameters from them that replace the path. Send JSON, or a form as "application/x-www-form-urlencoded"; "access.multipart" of the route lets plain ones through',
    { status: 415 },
  );
}

/**
 * Judges a multipart body by its parts, or says why its content type already does not do.
 *
 * @param names parameters that may not occur, as PHP calls them
 */
export function createMultipartJudge(
  contentType: string,
  names: readonly string[],
): BodyJudge | ProxyError {
  const match = CONTENT_TYPE.exec(contentType.trim());
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined) {
    return refuseOdd(
      'its content type: expected "multipart/form-data" with one plain "boundary" and nothing else',
    );
  }
  return {
    maxBytes: MAX_MULTIPART_BYTES,
    judge(body) {
      const found = readNames(body.toString('latin1'), boundary);
      if (typeof found === 'string') return refuseOdd(found);
      const steering = names.find((name) =>
        found.some((each) => phpVariableName(each).startsWith(name)),
      );
      return steering === undefined
        ? undefined
        : refuseOdd(`a part that the server may read as "${steering}", which steers OpenEMR`);
    },
    tooLarge: () =>
      new ProxyError(
        'body-too-large',
        `the multipart body is longer than ${MAX_MULTIPART_BYTES} bytes and cannot be checked: send less`,
        { status: 413 },
      ),
  };
}

/** Names of the parts, or what is odd about the body. */
function readNames(text: string, boundary: string): string[] | string {
  const delimiter = `\r\n--${boundary}`;
  // As if a line break stood before the first delimiter, which is the only one that may lack it.
  const pieces = `\r\n${text}`.split(delimiter);
  if (pieces[0] !== '') return 'text before its first boundary';
  if (pieces.length > MAX_PARTS + 2) return `more than ${MAX_PARTS} parts`;
  if (!/^--(?:\r\n)?$/.test(pieces.at(-1) ?? '')) return 'no boundary that ends it';
  const names: string[] = [];
  for (const piece of pieces.slice(1, -1)) {
    const end = piece.indexOf('\r\n\r\n');
    if (!piece.startsWith('\r\n') || end === -1)
      return 'a part without the empty line after its head';
    const name = readHead(piece.slice(2, end));
    if (name === undefined) {
      return 'a part whose head is not one plain "Content-Disposition" and at most one "Content-Type"';
    }
    names.push(name);
  }
  return names;
}

/** Name of a part by its head; undefined when anything in that is odd. */
function readHead(head: string): string | undefined {
  if (/[\r\n]/.test(head.replaceAll('\r\n', ''))) return undefined;
  const lines = head.split('\r\n');
  const dispositions = lines.filter((line) => DISPOSITION.test(line));
  const types = lines.filter((line) => PART_TYPE.test(line));
  if (dispositions.length !== 1 || types.length > 1) return undefined;
  if (dispositions.length + types.length !== lines.length) return undefined;
  return DISPOSITION.exec(dispositions[0] ?? '')?.[1];
}

function refuseOdd(what: string): ProxyError {
  return new ProxyError('multipart-refused', `the multipart body has ${what}`, { status: 400 });
}
