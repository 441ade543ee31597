/**
 * The request target (RFC 9112 section 3.2). Only origin-form is taken, and only when no reading of
 * it (percent-decoded once or twice, backslash as slash, slashes merged) leaves the route. What
 * passes is passed on byte for byte.
 */
import { ProxyError } from '../errors.ts';

const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const DOT = 0x2e;
const PERCENT = 0x25;
const QUESTION = 0x3f;
const HASH = 0x23;
const SEMICOLON = 0x3b;

/** A target that passed: where its path ends. */
export interface CheckedTarget {
  /** Length of the path: index of the question mark, or of the end. */
  readonly pathLength: number;
  /** Whether the path holds a percent-encoded octet. */
  readonly encoded: boolean;
}

/** The checked target, or the refusal (`target-refused`, 400). */
export function checkTarget(target: string): CheckedTarget | ProxyError {
  if (target.charCodeAt(0) !== SLASH) {
    return refuse(
      'the request target is not in origin-form: expected a path that begins with "/", such as "/fhir/Patient"',
    );
  }
  let i = 1;
  let encoded = false;
  // Of the segment at hand: its dots, and whether anything else makes it harmless.
  let dots = 0;
  let other = false;
  let parameters = false;
  let start = 1;
  for (; ; i++) {
    const code = i < target.length ? target.charCodeAt(i) : QUESTION;
    if (code === SLASH || code === QUESTION) {
      if (!other && (dots === 1 || dots === 2)) return refuseSegment();
      if (code === QUESTION) break;
      if (i === start)
        return refuse('the path holds an empty segment ("//"): expected single slashes');
      start = i + 1;
      dots = 0;
      other = false;
      parameters = false;
      continue;
    }
    if (code === PERCENT) {
      encoded = true;
      const octet = hexPair(target, i + 1);
      const problem = octetProblem(octet, target, i);
      if (problem !== undefined) return refuse(problem);
      i += 2;
      if (octet === DOT && !parameters) dots++;
      else if (octet === SEMICOLON) parameters = true;
      else if (octet !== 0x20 && !parameters) other = true;
      continue;
    }
    const problem = characterProblem(code);
    if (problem !== undefined) return refuse(problem);
    if (parameters) continue;
    if (code === DOT) dots++;
    else if (code === SEMICOLON) parameters = true;
    else other = true;
  }
  const problem = queryProblem(target, i);
  return problem === undefined ? { pathLength: i, encoded } : refuse(problem);
}

function characterProblem(code: number): string | undefined {
  if (code > 0x20 && code < 0x7f && code !== BACKSLASH && code !== HASH) return undefined;
  if (code === BACKSLASH) return 'the path holds a backslash: expected "/" between segments';
  if (code === HASH)
    return 'the request target holds a fragment ("#"): expected it to stay in the client';
  return 'the path holds a character that must be percent-encoded: expected visible ASCII';
}

function octetProblem(octet: number, target: string, at: number): string | undefined {
  if (octet < 0)
    return 'the path holds "%" without two hexadecimal digits after it: encode it as "%25"';
  if (octet === SLASH || octet === BACKSLASH) {
    return `the path holds an encoded slash (${JSON.stringify(target.slice(at, at + 3))}): no FHIR path has one`;
  }
  if (octet < 0x20 || octet === 0x7f) return 'the path holds an encoded control character';
  if (octet === 0xc0 || octet === 0xc1) return 'the path holds an encoded octet that is not UTF-8';
  if (octet === PERCENT && hexPair(target, at + 3) >= 0) {
    return 'the path is percent-encoded twice ("%25" before two hexadecimal digits): encode it once';
  }
  return undefined;
}

function queryProblem(target: string, from: number): string | undefined {
  for (let i = from; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code < 0x20 || code === 0x7f)
      return 'the query holds a control character: expected it percent-encoded';
    if (code === HASH) return characterProblem(code);
  }
  return undefined;
}

/** Value of two hexadecimal digits at `at`, or -1. */
export function hexPair(text: string, at: number): number {
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

function refuseSegment(): ProxyError {
  return refuse(
    'the path holds a dot segment ("." or ".."): expected a path that stays where it points',
  );
}

function refuse(message: string): ProxyError {
  return new ProxyError('target-refused', message, { status: 400 });
}
