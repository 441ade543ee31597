/**
 * The byte sequences that stand for one of the upstream's FHIR bases in a body, and how to find
 * them: plain (`https://h/fhir`) and as PHP's `json_encode` writes them (`https:\/\/h\/fhir`).
 */

/** One spelling of one base. */
export interface LinkPattern {
  readonly bytes: Buffer;
  /** Where its anchor begins in `bytes`. */
  readonly anchorAt: number;
  /** Whether each `/` is written `\/`. */
  readonly escaped: boolean;
}

/**
 * What is searched for: `/` and the authority. That much is common to the plain and to the escaped
 * spelling, so one pass finds both, and it is rare in FHIR data, where `http` is not: code systems
 * and profiles are URLs too.
 */
export interface LinkAnchor {
  readonly bytes: Buffer;
  /** Spellings that hold this anchor, longest first. */
  readonly patterns: readonly LinkPattern[];
}

/** Where a pattern was found; `open` when the bytes end before that is decided. */
export interface LinkMatch {
  readonly start: number;
  /** Behind the last byte of the pattern; the end of the text for an open match. */
  readonly end: number;
  readonly escaped: boolean;
  readonly open: boolean;
}

const ABSOLUTE = /^(https?):\/\/([^/?#]+)([^?#]*)$/is;
const DEFAULT_PORT: Readonly<Record<string, string>> = { http: ':80', https: ':443' };

/**
 * Bytes that may follow a base. Any other byte means that a longer name was written
 * (`/fhirx`, `/fhir-old`, a longer port), which is not ours. A backslash begins `\/` or another
 * escape, either of which ends a segment.
 */
const BORDER = new Uint8Array(256);
for (const char of '/\\?#"\'<>&)]}|, \t\r\n\f\v') BORDER[char.charCodeAt(0)] = 1;

/**
 * @param bases absolute http or https URLs without a slash at the end
 * @returns anchors, none of which begins with another
 * @throws TypeError when a base is something else
 */
export function buildLinkAnchors(bases: readonly string[]): LinkAnchor[] {
  const spellings = new Map<string, { pattern: LinkPattern; anchor: string }>();
  for (const { scheme, authority, path } of bases.flatMap(baseVariants)) {
    const anchor = `/${authority}`;
    const plain = `${scheme}:/${anchor}${path}`;
    for (const escaped of [false, true]) {
      const written = escaped ? escapeSlashes(plain) : plain;
      const pattern = { bytes: Buffer.from(written), anchorAt: written.indexOf(anchor), escaped };
      spellings.set(written, { pattern, anchor });
    }
  }
  const all = [...spellings.values()].sort(
    (a, b) => b.pattern.bytes.length - a.pattern.bytes.length,
  );
  return sharedBeginnings(all.map(({ anchor }) => anchor)).map((name) => ({
    bytes: Buffer.from(name),
    patterns: all.filter(({ anchor }) => anchor.startsWith(name)).map(({ pattern }) => pattern),
  }));
}

/** Shortest beginning that is searched for in place of two names; a shorter one is found too often. */
const LEAST_SHARED = 8;

/**
 * The names, of which those that begin alike (`/localhost:9300`, `/localhost:8300`) are replaced by
 * what they share: each is a pass over every body.
 */
function sharedBeginnings(names: readonly string[]): string[] {
  const beginnings: string[] = [];
  for (const name of names.toSorted()) {
    const before = beginnings.at(-1) ?? '';
    let shared = 0;
    while (shared < before.length && before[shared] === name[shared]) shared += 1;
    const finds = before !== '' && (shared === before.length || shared >= LEAST_SHARED);
    if (finds) beginnings.splice(-1, 1, name.slice(0, shared));
    else beginnings.push(name);
  }
  return beginnings;
}

/** `a/b` as `a\/b`. */
export function escapeSlashes(text: string): string {
  return text.replaceAll('/', '\\/');
}

/**
 * The longest pattern of an anchor at one of its places, if a byte that ends a path segment follows.
 *
 * @param at where the anchor was found
 * @param from bytes before this one are out of reach
 * @param last whether no byte follows `text`
 */
export function matchLink(
  text: Buffer,
  anchor: LinkAnchor,
  at: number,
  from: number,
  last: boolean,
): LinkMatch | undefined {
  for (const { bytes, anchorAt, escaped } of anchor.patterns) {
    const start = at - anchorAt;
    if (start < from) continue;
    const end = start + agreeingBytes(text, start, bytes);
    if (end === text.length && !last) return { start, end, escaped, open: true };
    if (end !== start + bytes.length) continue;
    if (end === text.length || BORDER[text[end] as number] === 1) {
      return { start, end, escaped, open: false };
    }
  }
  return undefined;
}

/**
 * Where the end of the text may be the beginning of a pattern, or a whole one whose border is still
 * to come; the text's length when it is neither.
 *
 * @param from bytes before this one are out of reach
 */
export function openEnd(text: Buffer, anchors: readonly LinkAnchor[], from: number): number {
  let open = text.length;
  for (const { patterns } of anchors) {
    for (const { bytes } of patterns) {
      for (let start = Math.max(from, text.length - bytes.length); start < open; start += 1) {
        if (start + agreeingBytes(text, start, bytes) === text.length) open = start;
      }
    }
  }
  return open;
}

/** How many bytes of `text` from `start` on are those of `bytes`. */
function agreeingBytes(text: Buffer, start: number, bytes: Buffer): number {
  const most = Math.min(bytes.length, text.length - start);
  let n = 0;
  while (n < most && text[start + n] === bytes[n]) n += 1;
  return n;
}

/**
 * A base as configured and, where that differs, with scheme and host in lower case, each without
 * its scheme's default port and with it.
 */
function baseVariants(base: string): { scheme: string; authority: string; path: string }[] {
  const [, scheme, authority, path = ''] = ABSOLUTE.exec(base) ?? [];
  if (scheme === undefined || authority === undefined) {
    throw new TypeError(`"${base}" is not an absolute http or https URL`);
  }
  const port = DEFAULT_PORT[scheme.toLowerCase()] as string;
  const bare = authority.endsWith(port) ? authority.slice(0, -port.length) : authority;
  const endings = /:\d+$/.test(bare) ? [''] : ['', port];
  return endings.flatMap((ending) => [
    { scheme, authority: bare + ending, path },
    { scheme: scheme.toLowerCase(), authority: bare.toLowerCase() + ending, path },
  ]);
}
