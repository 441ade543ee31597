/**
 * The request target (RFC 9112 section 3.2). Only origin-form is taken, and only when no reading of
 * it (percent-decoded once or twice, backslash as slash, slashes merged, put into a query by a
 * rewrite rule) leaves the path that it spells. What passes is passed on byte for byte.
 */
import { ProxyError } from '../base/errors.ts';

const SLASH = 0x2f;
const DOT = 0x2e;
const PERCENT = 0x25;
const QUESTION = 0x3f;
const HASH = 0x23;
/**
 * Windows drops spaces around dots, so `..%20` may be `..` there; and a path that a rewrite rule puts
 * into a query has `+` for a space. Neither makes a segment harmless.
 */
const SPACE = 0x20;
const PLUS = 0x2b;

/**
 * Characters that end a path, or part of one, for some reader, and that no FHIR path has. OpenEMR's
 * rule `dispatch.php?_REWRITE_COMMAND=$1` puts the decoded path into a query, where `&` begins another
 * parameter and `?` another query (the class of CVE-2024-38474).
 */
const DELIMITERS = '/\\?#&;';

/** 1 for the characters that only make a segment harmless, 0 for those that are looked at more closely. */
const ORDINARY = Uint8Array.from({ length: 128 }, (_, code) =>
  code > 0x20 && code < 0x7f && !`${DELIMITERS}.%+`.includes(String.fromCharCode(code)) ? 1 : 0,
);

const FRAGMENT = 'the request target holds a fragment ("#"): expected it to stay in the client';

/** A target that passed: where its path ends. */
export interface CheckedTarget {
  /** Length of the path: index of the question mark, or of the end. */
  readonly pathLength: number;
}

/** The checked target, or the refusal (`target-refused`, 400). */
export function checkTarget(target: string): CheckedTarget | ProxyError {
  if (target.charCodeAt(0) !== SLASH) {
    return refuse(
      'the request target is not in origin-form: expected a path that begins with "/", such as "/fhir/Patient". Call this proxy like the server itself, not through "http_proxy"',
    );
  }
  // Of the segment at hand: where it begins, its dots, and whether anything else makes it harmless.
  let start = 1;
  let dots = 0;
  let other = false;
  for (let i = 1; ; i++) {
    const code = i < target.length ? target.charCodeAt(i) : QUESTION;
    if (ORDINARY[code] === 1) {
      other = true;
    } else if (code === SLASH || code === QUESTION) {
      if (!other && (dots === 1 || dots === 2)) return refuseSegment('a dot segment ("." or "..")');
      if (code === QUESTION) return checkQuery(target, i);
      if (i === start) return refuseSegment('an empty segment ("//")');
      start = i + 1;
      dots = 0;
      other = false;
    } else if (code === PERCENT) {
      const octet = hexPair(target, i + 1);
      const problem = octetProblem(octet, target, i);
      if (problem !== undefined) return refuse(problem);
      i += 2;
      if (octet === DOT) dots++;
      else if (octet !== SPACE && octet !== PLUS) other = true;
    } else if (code === DOT) {
      dots++;
    } else if (code !== PLUS) {
      return refuse(characterProblem(code));
    }
  }
}

function characterProblem(code: number): string {
  if (code === HASH) return FRAGMENT;
  return isDelimiter(code)
    ? delimiterProblem(String.fromCharCode(code))
    : 'the path holds a character that must be percent-encoded: expected visible ASCII';
}

function octetProblem(octet: number, target: string, at: number): string | undefined {
  if (octet < 0) {
    return 'the path holds "%" without two hexadecimal digits after it: encode it as "%25"';
  }
  if (octet < 0x20 || octet === 0x7f) {
    return 'the path holds an encoded control character: no FHIR path has one';
  }
  if (isOverlong(octet, target, at)) {
    return 'the path holds an encoded octet that is not UTF-8: expected UTF-8';
  }
  if (octet === PERCENT && hexPair(target, at + 3) >= 0) {
    return 'the path is percent-encoded twice ("%25" before two hexadecimal digits): encode it once';
  }
  return isDelimiter(octet) ? delimiterProblem(target.slice(at, at + 3)) : undefined;
}

/** Whether a UTF-8 sequence begins here that spells a shorter character: lax decoders make "." of it. */
function isOverlong(octet: number, target: string, at: number): boolean {
  if (octet === 0xc0 || octet === 0xc1) return true;
  if (octet !== 0xe0 && octet !== 0xf0) return false;
  const next = target.charCodeAt(at + 3) === PERCENT ? hexPair(target, at + 4) : -1;
  return next >= 0x80 && next < (octet === 0xe0 ? 0xa0 : 0x90);
}

function isDelimiter(code: number): boolean {
  return DELIMITERS.includes(String.fromCharCode(code));
}

function delimiterProblem(spelling: string): string {
  return `the path holds "${spelling}", which servers read in different ways: no FHIR path has one`;
}

function checkQuery(target: string, from: number): CheckedTarget | ProxyError {
  for (let i = from; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) {
      return refuse('the query holds a control character: expected it percent-encoded');
    }
    if (code === HASH) return refuse(FRAGMENT);
  }
  return { pathLength: from };
}

/** Value of two hexadecimal digits at `at`, or -1. */
function hexPair(text: string, at: number): number {
  if (at + 1 >= text.length) return -1;
  const high = hexDigit(text.charCodeAt(at));
  const low = hexDigit(text.charCodeAt(at + 1));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function refuseSegment(what: string): ProxyError {
  return refuse(`the path holds ${what}: expected a path that stays where it points`);
}

function refuse(message: string): ProxyError {
  return new ProxyError('target-refused', message, { status: 400 });
}
