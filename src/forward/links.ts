/**
 * Puts the proxy's base in the place of the upstream's own absolute URLs, in bodies and in fields.
 *
 * Only the two spellings that OpenEMR sends are known: plain, and with each `/` as `\/`; the
 * replacement is spelled like what it replaces. What is percent-encoded (a base inside a query
 * value), written with character references (`&#47;`) or as `\u002f`, and what differs in letter
 * case is left alone, as is everything else, byte for byte.
 */
import {
  buildLinkAnchors,
  escapeSlashes,
  type LinkAnchor,
  matchLink,
  openEnd,
} from './link-patterns.ts';

/** Settings of {@link createLinkRewriter}. */
export interface LinkRewriterOptions {
  /**
   * FHIR bases by which the upstream calls itself: absolute http or https URLs without a slash at
   * the end. Found also with the scheme's default port added or left out. Where one begins
   * another, the longer one is found.
   */
  bases: readonly string[];
}

/** Rewrites the answers of one route; knows nothing of a single answer. */
export interface LinkRewriter {
  /**
   * Begins one body.
   *
   * @param proxyBase what to write: the proxy's own base, absolute, without a slash at the end
   */
  start(proxyBase: string): BodyRewriter;
  /** A body that is in hand as a whole; `body` itself when there is nothing to replace. */
  rewriteBody(body: Buffer, proxyBase: string): Buffer;
  /** A value of `Location`, `Content-Location` or `Link` with the upstream's bases replaced. */
  rewriteField(value: string, proxyBase: string): string;
}

/** Rewrites one body as it passes. */
export interface BodyRewriter {
  /**
   * The next chunk, as far as it is decided: `chunk` itself when there is nothing to replace, empty
   * when all of it may be the beginning of a link. At most the length of one base is held back.
   * The chunk is given away: links may be replaced within its own memory.
   */
  push(chunk: Buffer): Buffer;
  /** What was held back; nearly always empty. Call once, after the last chunk. */
  end(): Buffer;
}

/** The proxy's base in both spellings. */
interface Replacement {
  readonly plain: Buffer;
  readonly escaped: Buffer;
}

const NOTHING = Buffer.alloc(0);
const REWRITABLE =
  /^(?:application\/(?:[a-z0-9.+-]+\+)?(?:json|x-ndjson|ndjson)|application\/(?:fhir\+)?xml|text\/(?:xml|plain))$/i;

/**
 * Whether links are replaced in a body of this type: JSON and NDJSON of every kind, FHIR and plain
 * XML, plain text. Not HTML, which is no FHIR answer, and not documents (`application/pdf`,
 * `application/cda+xml`, images), whose bytes may be signed or hashed.
 *
 * @param contentType value of the `Content-Type` field (RFC 9110 section 8.3), parameters included
 */
export function isRewritable(contentType: string | undefined): boolean {
  if (contentType === undefined) return false;
  const semicolon = contentType.indexOf(';');
  return REWRITABLE.test((semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim());
}

/** @throws TypeError when a base is no absolute http or https URL */
export function createLinkRewriter({ bases }: LinkRewriterOptions): LinkRewriter {
  const anchors = buildLinkAnchors(bases);
  let lastBase: string | undefined;
  let replacement: Replacement = { plain: NOTHING, escaped: NOTHING };

  const replacementBy = (proxyBase: string): Replacement => {
    // Clients call the proxy by one name or two: keeping the last one saves nearly all the work.
    if (proxyBase !== lastBase) {
      lastBase = proxyBase;
      replacement = {
        plain: Buffer.from(proxyBase),
        escaped: Buffer.from(escapeSlashes(proxyBase)),
      };
    }
    return replacement;
  };
  const rewriteBody = (body: Buffer, proxyBase: string): Buffer =>
    replaceAllLinks(body, anchors, replacementBy(proxyBase));
  return {
    start: (proxyBase) => createBodyRewriter(anchors, replacementBy(proxyBase)),
    rewriteBody,
    // Node reads field values as Latin-1: one character is one byte.
    rewriteField: (value, proxyBase) =>
      rewriteBody(Buffer.from(value, 'latin1'), proxyBase).toString('latin1'),
  };
}

/** The whole text with its links replaced; the text itself when it has none. */
function replaceAllLinks(
  text: Buffer,
  anchors: readonly LinkAnchor[],
  replacement: Replacement,
): Buffer {
  const pieces: Buffer[] = [];
  const taken = replaceLinks(text, anchors, replacement, pieces, true);
  if (pieces.length === 0) return text;
  pieces.push(text.subarray(taken));
  return Buffer.concat(pieces);
}

function createBodyRewriter(
  anchors: readonly LinkAnchor[],
  replacement: Replacement,
): BodyRewriter {
  let held = NOTHING;
  return {
    push(chunk) {
      const text = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const pieces: Buffer[] = [];
      const taken = replaceLinks(text, anchors, replacement, pieces, false);
      const decided = openEnd(text, anchors, taken);
      // A copy, so that a few bytes do not keep a whole chunk in memory.
      held = decided === text.length ? NOTHING : Buffer.from(text.subarray(decided));
      if (pieces.length === 0) return decided === text.length ? text : text.subarray(0, decided);
      pieces.push(text.subarray(taken, decided));
      return joinWithin(text, pieces);
    },
    end() {
      const rest = held;
      held = NOTHING;
      return rest.length === 0 ? NOTHING : replaceAllLinks(rest, anchors, replacement);
    },
  };
}

/**
 * Collects the text up to and with the last link that is surely one, links replaced.
 *
 * @returns how many bytes of the text that is
 */
function replaceLinks(
  text: Buffer,
  anchors: readonly LinkAnchor[],
  { plain, escaped }: Replacement,
  pieces: Buffer[],
  last: boolean,
): number {
  let taken = 0;
  const places = anchors.map(({ bytes }) => text.indexOf(bytes));
  for (;;) {
    const which = indexOfFirstPlace(places);
    if (which < 0) return taken;
    const anchor = anchors[which] as LinkAnchor;
    const at = places[which] as number;
    places[which] = text.indexOf(anchor.bytes, at + 1);
    const match = matchLink(text, anchor, at, taken, last);
    if (match === undefined) continue;
    if (match.open) return taken;
    pieces.push(text.subarray(taken, match.start), match.escaped ? escaped : plain);
    taken = match.end;
  }
}

/**
 * Joins pieces within the text that they were taken from, where nothing is written over before it
 * has moved: a copy of each chunk would double the memory outside of V8's heap, and its collector
 * runs over the whole heap each time that enough of that has gathered.
 *
 * @param pieces parts of `text` in their order, a replacement between any two
 */
function joinWithin(text: Buffer, pieces: readonly Buffer[]): Buffer {
  let length = 0;
  for (const [i, piece] of pieces.entries()) {
    const isPart = i % 2 === 0;
    if (isPart && piece.byteOffset - text.byteOffset < length) return Buffer.concat(pieces);
    length += piece.length;
  }
  let to = 0;
  for (const piece of pieces) {
    text.set(piece, to);
    to += piece.length;
  }
  return text.subarray(0, length);
}

/** Index of the least place, -1 when all are -1. */
function indexOfFirstPlace(places: readonly number[]): number {
  let first = -1;
  for (let i = 0; i < places.length; i += 1) {
    const place = places[i] as number;
    if (place >= 0 && (first < 0 || place < (places[first] as number))) first = i;
  }
  return first;
}
