import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { createLinkRewriter, isRewritable } from '../../src/forward/links.ts';

const BASE = 'https://localhost:9300/apis/default/fhir';
const PROXY = 'http://127.0.0.1:8088/fhir';
const escape = (text: string) => text.replaceAll('/', '\\/');

/** A body pushed through in chunks of a given size; bytes in and out as Latin-1. */
function rewrite(body: string, bases: readonly string[], chunkSize = Infinity, proxy = PROXY) {
  const rewriter = createLinkRewriter({ bases }).start(proxy);
  const bytes = Buffer.from(body, 'latin1');
  const out: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunkSize) {
    out.push(rewriter.push(bytes.subarray(at, Math.min(at + chunkSize, bytes.length))));
  }
  out.push(rewriter.end());
  return Buffer.concat(out).toString('latin1');
}

/**
 * What the rewriter must do, said in another way: one regular expression over the whole text, every
 * spelling written out by hand, longest first.
 */
function reference(body: string, spellings: readonly string[], proxy = PROXY) {
  const all = spellings.flatMap((spelling) => [spelling, escape(spelling)]);
  const alternatives = all
    .sort((a, b) => b.length - a.length)
    .map((text) => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&'));
  const found = new RegExp(
    `(?:${alternatives.join('|')})(?=[/\\\\?#"'<>&)\\]}|, \\t\\r\\n\\f\\v]|$)`,
    'g',
  );
  return body.replaceAll(found, (match) => (match.includes('\\/') ? escape(proxy) : proxy));
}

describe('bodies', () => {
  const cases: { what: string; body: string; bases?: string[]; expected: string }[] = [
    {
      what: 'a searchset as OpenEMR 7 writes it',
      body: `{"link":[{"relation":"self","url":"${BASE}/Patient"}],"entry":[{"fullUrl":"${BASE}/Patient/1"}]}`,
      expected: `{"link":[{"relation":"self","url":"${PROXY}/Patient"}],"entry":[{"fullUrl":"${PROXY}/Patient/1"}]}`,
    },
    {
      what: 'escaped slashes, as OpenEMR 8 writes them, stay escaped',
      body: String.raw`{"url":"https:\/\/localhost:9300\/apis\/default\/fhir\/Binary\/128"}`,
      expected: String.raw`{"url":"http:\/\/127.0.0.1:8088\/fhir\/Binary\/128"}`,
    },
    {
      what: 'the base alone, plain and escaped, in one body',
      body: `{"url":"${BASE}","issuer":"${escape(BASE)}"}`,
      expected: `{"url":"${PROXY}","issuer":"${escape(PROXY)}"}`,
    },
    { what: 'a base that is the whole body', body: BASE, expected: PROXY },
    {
      what: 'an escaped base at the end of the body',
      body: `x ${escape(BASE)}`,
      expected: `x ${escape(PROXY)}`,
    },
    { what: 'XML attributes', body: `<url value='${BASE}'/>`, expected: `<url value='${PROXY}'/>` },
    { what: 'XML text', body: `<a>${BASE}</a>`, expected: `<a>${PROXY}</a>` },
    {
      what: 'query and fragment right behind the base',
      body: `${BASE}?_count=1 ${BASE}#x ${BASE}&amp;`,
      expected: `${PROXY}?_count=1 ${PROXY}#x ${PROXY}&amp;`,
    },
    {
      what: 'a link in a narrative, whose quotes are escaped',
      body: String.raw`"div":"<a href=\"${BASE}\">${BASE}\n</a>"`,
      expected: String.raw`"div":"<a href=\"${PROXY}\">${PROXY}\n</a>"`,
    },
    {
      what: 'the default port, added or left out by the upstream',
      body: 'https://h/fhir/A https://h:443/fhir/B',
      bases: ['https://h/fhir'],
      expected: `${PROXY}/A ${PROXY}/B`,
    },
    {
      what: 'the default port, when the configuration writes it',
      body: String.raw`http:\/\/h\/fhir\/A http://h:80/fhir/B`,
      bases: ['http://h:80/fhir'],
      expected: `${escape(`${PROXY}/A`)} ${PROXY}/B`,
    },
    {
      what: 'a base configured in upper case, as written and as URLs are normalised',
      body: 'HTTPS://Host/Fhir/A https://host/Fhir/A',
      bases: ['HTTPS://Host/Fhir'],
      expected: `${PROXY}/A ${PROXY}/A`,
    },
    {
      what: 'the longer one of two bases',
      body: 'https://h/a/1 https://h/a/b/1 https://h/a/bc https://h:9/a/1',
      bases: ['https://h/a', 'https://h/a/b', 'https://h:9/a'],
      expected: `${PROXY}/1 ${PROXY}/1 ${PROXY}/bc ${PROXY}/1`,
    },
    {
      what: 'an IPv6 host',
      body: 'http://[::1]:8080/fhir/A',
      bases: ['http://[::1]:8080/fhir'],
      expected: `${PROXY}/A`,
    },
    {
      what: 'near misses before a link',
      body: `hthttps://hhttps://localhohttps://localhost:9300/apis/default/${BASE}/A`,
      expected: `hthttps://hhttps://localhohttps://localhost:9300/apis/default/${PROXY}/A`,
    },
  ];
  for (const { what, body, bases = [BASE], expected } of cases) {
    test(`rewrites ${what}`, () => {
      assert.equal(rewrite(body, bases), expected);
    });
    test(`rewrites ${what}, whatever the chunks are`, () => {
      for (let size = 1; size <= 70; size += 1) assert.equal(rewrite(body, bases, size), expected);
    });
  }

  const untouched: { what: string; body: string; bases?: string[] }[] = [
    {
      what: 'longer names',
      body: `${BASE}x ${BASE}-old ${BASE}.bak ${BASE}%20 ${BASE}~ ${BASE}_1`,
    },
    { what: 'other paths of the upstream', body: 'https://localhost:9300/oauth2/default/token' },
    { what: 'the base with another scheme', body: `${BASE.replace('https', 'http')}/Patient` },
    { what: 'a longer port', body: 'https://h:4430/fhir/A', bases: ['https://h/fhir'] },
    { what: 'another port', body: 'https://localhost:93001/apis/default/fhir' },
    {
      what: 'another host with ours at its end',
      body: 'https://evil-localhost:9300/apis/default/fhir/',
    },
    { what: 'our host as a user name', body: 'https://h@evil.example/', bases: ['https://h'] },
    { what: 'a port where the base has no path', body: 'https://h:8443/', bases: ['https://h'] },
    { what: 'half escaped', body: String.raw`https:\/\/localhost:9300/apis\/default\/fhir/A` },
    { what: 'percent-encoded', body: `?url=${encodeURIComponent(BASE)}` },
    { what: 'character references', body: BASE.replaceAll('/', '&#47;') },
    { what: 'code systems', body: '{"system":"https://hl7.org/fhir","x":"http://loinc.org"}' },
    { what: 'bytes that are no UTF-8', body: '\xff\xfe\x00\xc3(\x80http\xf0' },
    { what: 'no body', body: '' },
  ];
  for (const { what, body, bases = [BASE] } of untouched) {
    test(`leaves alone: ${what}`, () => {
      for (const size of [1, 2, 3, 7, 64, 4096]) assert.equal(rewrite(body, bases, size), body);
    });
  }

  test('equals a replacement over the whole text for random bodies, bases and chunks', () => {
    const random = createRandom(0x5eed);
    const sets = [
      { bases: [BASE], spellings: [BASE] },
      {
        bases: ['https://h/fhir', 'https://h/fhir/a', 'https://hh/fhir', 'http://h/fhir'],
        spellings: [
          'https://h/fhir',
          'https://h:443/fhir',
          'https://h/fhir/a',
          'https://h:443/fhir/a',
          'https://hh/fhir',
          'https://hh:443/fhir',
          'http://h/fhir',
          'http://h:80/fhir',
        ],
      },
      { bases: ['http://h:1'], spellings: ['http://h:1'] },
      {
        // Beginning alike.
        bases: ['http://localhost:1/a', 'https://localhost:12/a', 'http://localhosts/a'],
        spellings: [
          'http://localhost:1/a',
          'https://localhost:12/a',
          'http://localhosts/a',
          'http://localhosts:80/a',
        ],
      },
      {
        // Overlapping itself: the path of one base is another base.
        bases: ['http://h:1/http://h:1/x', 'http://h:1/x', 'http://g:2/http://h:1/x'],
        spellings: ['http://h:1/http://h:1/x', 'http://h:1/x', 'http://g:2/http://h:1/x'],
      },
    ];
    const seen = { changed: 0, untouched: 0 };
    for (let round = 0; round < 6000; round += 1) {
      const { bases, spellings } = random.pick(sets);
      const body = randomBody(random, spellings);
      const bytes = Buffer.from(body, 'latin1');
      const rewriter = createLinkRewriter({ bases }).start(PROXY);
      const out: Buffer[] = [];
      const most = random.pick([1, 2, 5, 20, 100, 1000]);
      for (let at = 0; at < bytes.length;) {
        const size = random.below(most + 1);
        out.push(rewriter.push(Buffer.from(bytes.subarray(at, at + size))));
        at += size;
      }
      out.push(rewriter.end());
      const expected = reference(body, spellings);
      const whole = createLinkRewriter({ bases }).rewriteBody(bytes, PROXY);
      assert.equal(whole.toString('latin1'), expected);
      if (expected === body) assert.equal(whole, bytes);
      assert.equal(
        Buffer.concat(out).toString('latin1'),
        expected,
        `round ${round}, ${JSON.stringify(body)}`,
      );
      seen[expected === body ? 'untouched' : 'changed'] += 1;
    }
    // Both kinds must have been tried, or the test says nothing.
    assert.ok(seen.changed > 2000 && seen.untouched > 200, JSON.stringify(seen));
  });
});

describe('streaming', () => {
  test('hands on a chunk without links as it is, not as a copy', () => {
    const rewriter = createLinkRewriter({ bases: [BASE] }).start(PROXY);
    const chunk = Buffer.from('{"system":"http://loinc.org","url":"https://localhost:9300/other"}');
    assert.equal(rewriter.push(chunk), chunk);
    assert.equal(rewriter.end().length, 0);
  });

  test('replaces within the memory of a chunk where the base of the proxy is not longer', () => {
    const rewriter = createLinkRewriter({ bases: [BASE] }).start(PROXY);
    const chunk = Buffer.from(`"${BASE}/A" "${escape(BASE)}" x "${BASE}/B"`);
    const out = rewriter.push(chunk);
    assert.equal(out.toString(), `"${PROXY}/A" "${escape(PROXY)}" x "${PROXY}/B"`);
    assert.equal(out.buffer, chunk.buffer);
    assert.equal(out.byteOffset, chunk.byteOffset);
  });

  test('replaces where the base of the proxy is longer', () => {
    const long = `http://${'a'.repeat(200)}/fhir`;
    const rewriter = createLinkRewriter({ bases: [BASE] }).start(long);
    const chunk = Buffer.from(`${'x'.repeat(300)} "${BASE}/A" "${BASE}/B" "${BASE}/C"`);
    assert.equal(
      rewriter.push(chunk).toString(),
      `${'x'.repeat(300)} "${long}/A" "${long}/B" "${long}/C"`,
    );
  });

  test('holds back no more than may become a link', () => {
    const rewriter = createLinkRewriter({ bases: [BASE] }).start(PROXY);
    assert.equal(rewriter.push(Buffer.from(`abc https://local`)).toString(), 'abc ');
    assert.equal(rewriter.push(Buffer.from('host:9300/apis/default/fhir')).toString(), '');
    assert.equal(rewriter.push(Buffer.from('/P')).toString(), `${PROXY}/P`);
    assert.equal(rewriter.push(Buffer.from('h')).toString(), '');
    assert.equal(rewriter.push(Buffer.from('ello')).toString(), 'hello');
    assert.equal(rewriter.end().length, 0);
  });

  test('holds back at most the length of a base, however long the body is', () => {
    const rewriter = createLinkRewriter({ bases: [BASE] }).start(PROXY);
    let pushed = 0;
    let given = 0;
    for (let i = 0; i < 5000; i += 1) {
      const chunk = Buffer.from(BASE.slice(0, 1 + (i % (BASE.length - 1))));
      pushed += chunk.length;
      given += rewriter.push(chunk).length;
      assert.ok(pushed - given <= escape(BASE).length);
    }
  });

  test('gives out what was held back when the body ends inside a near miss', () => {
    const rewriter = createLinkRewriter({ bases: [BASE] }).start(PROXY);
    const half = BASE.slice(0, 20);
    const head = rewriter.push(Buffer.from(half)).toString();
    assert.equal(head + rewriter.end().toString(), half);
  });

  test('serves bodies at the same time under different names of the proxy', () => {
    const rewriter = createLinkRewriter({ bases: [BASE] });
    const [one, other] = [rewriter.start('http://localhost:1/a'), rewriter.start('http://h:2/b')];
    assert.equal(one.push(Buffer.from(`"${BASE}"`)).toString(), '"http://localhost:1/a"');
    assert.equal(other.push(Buffer.from(`"${BASE}"`)).toString(), '"http://h:2/b"');
    assert.equal(one.push(Buffer.from(`"${BASE}"`)).toString(), '"http://localhost:1/a"');
  });

  test('without bases nothing is touched', () => {
    assert.equal(rewrite(`"${BASE}/Patient"`, [], 3), `"${BASE}/Patient"`);
  });
});

describe('fields', () => {
  const rewriter = createLinkRewriter({ bases: [BASE] });
  const cases = [
    [`${BASE}/Patient/1/_history/2`, `${PROXY}/Patient/1/_history/2`],
    [`${BASE}/$bulkdata-status?job=1`, `${PROXY}/$bulkdata-status?job=1`],
    [BASE, PROXY],
    [
      `<${BASE}/Patient?page=2>; rel="next", <${BASE}>; rel="up", <https://hl7.org/>; rel="x"`,
      `<${PROXY}/Patient?page=2>; rel="next", <${PROXY}>; rel="up", <https://hl7.org/>; rel="x"`,
    ],
    ['https://localhost:9300/interface/login', 'https://localhost:9300/interface/login'],
    ['Patient/1', 'Patient/1'],
    ['/caf\xe9', '/caf\xe9'],
    ['', ''],
  ];
  for (const [value = '', expected] of cases) {
    test(`"${value}"`, () => assert.equal(rewriter.rewriteField(value, PROXY), expected));
  }
});

test('refuses a base that is no absolute URL', () => {
  for (const base of ['/fhir', 'ftp://h/fhir', 'https://', 'https://h/?x']) {
    assert.throws(() => createLinkRewriter({ bases: [base] }), {
      name: 'TypeError',
      message: `"${base}" is not an absolute http or https URL`,
    });
  }
});

describe('types whose links are rewritten', () => {
  const yes = [
    'application/json',
    'application/json; charset=utf-8',
    'application/fhir+json;fhirVersion=4.0',
    'Application/FHIR+JSON',
    'application/problem+json',
    'application/fhir+ndjson',
    'application/x-ndjson',
    'application/ndjson',
    'application/fhir+xml',
    'application/xml',
    'text/xml;charset=utf-8',
    'text/plain ; charset=utf-8',
  ];
  const no = [
    undefined,
    '',
    'text/html; charset=utf-8',
    'application/xhtml+xml',
    'application/octet-stream',
    'application/pdf',
    'application/cda+xml',
    'image/svg+xml',
    'image/png',
    'application/jsonx',
    'multipart/form-data; boundary=application/json',
  ];
  for (const type of yes) test(type, () => assert.equal(isRewritable(type), true));
  for (const type of no) test(`not ${type}`, () => assert.equal(isRewritable(type), false));
});

/** Pseudo-random numbers that are the same in every run (mulberry32). */
function createRandom(seed: number) {
  let state = seed;
  const below = (limit: number) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
  return { below, pick: <T>(items: readonly T[]): T => items[below(items.length)] as T };
}

/** Links, pieces of links and noise in random order. */
function randomBody(random: ReturnType<typeof createRandom>, spellings: readonly string[]): string {
  const parts: string[] = [];
  const borders = ['/', '\\/', '?', '#', '"', "'", '<', '>', '&', ' ', '\n', ')', ']', '}', '|'];
  const noise = ['x', '-', '.', ':', '443', '/', '\\', 'h', 'ht', 'http://', '\xff', '\0', '@', ''];
  for (let i = random.below(14); i > 0; i -= 1) {
    const plain = random.pick(spellings);
    const link = random.below(2) === 0 ? plain : escape(plain);
    const cut = random.below(link.length);
    parts.push(
      random.pick([
        link + random.pick(borders),
        link,
        link + random.pick(noise),
        link.slice(0, cut),
        link.slice(cut),
        random.pick(noise),
        random.pick(borders),
      ]),
    );
  }
  return parts.join('');
}
