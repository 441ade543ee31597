import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';

import { createPublicBase } from '../../src/config/public-base.ts';
import { configSchema, type ProxyConfigInput } from '../../src/config/schema.ts';
import { ask, buildGate, verdict } from '../support/gate.ts';
import { startProxy, type StartOptions } from '../support/proxy.ts';
import { createRandom } from '../support/random.ts';

type Listen = NonNullable<ProxyConfigInput['listen']>;

function baseOf(listen: Listen, headers: Record<string, string>, remoteAddress = '127.0.0.1') {
  const config = configSchema.parse({ listen, routes: [{ path: '/fhir', upstream: 'sandbox' }] });
  return createPublicBase(config.listen)({
    headers: { host: 'localhost:8088', ...headers },
    socket: { remoteAddress },
  });
}

const NAMED: Listen = { allowedHosts: ['dev.example', '[fd00::1]'] };
const named = createPublicBase(
  configSchema.parse({ listen: NAMED, routes: [{ path: '/fhir', upstream: 'sandbox' }] }).listen,
);
function baseOfNamed(headers: Record<string, string>): string {
  const socket = { remoteAddress: '127.0.0.1' };
  return named({ headers: { host: 'localhost:8088', ...headers }, socket });
}

const PLAIN = 'http://localhost:8088';

/** What a request says, and what the links of its response begin with. */
const TABLE: readonly (readonly [string, Record<string, string>, string])[] = [
  ['nothing', {}, PLAIN],
  ['a scheme alone', { 'x-forwarded-proto': 'https' }, 'https://localhost:8088'],
  [
    'scheme and host',
    { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'Dev.Example' },
    'https://dev.example',
  ],
  [
    'host with a port',
    { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'dev.example:8443' },
    'https://dev.example:8443',
  ],
  [
    'a port of its own',
    {
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'dev.example',
      'x-forwarded-port': '8443',
    },
    'https://dev.example:8443',
  ],
  [
    'the usual port',
    { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'dev.example', 'x-forwarded-port': '443' },
    'https://dev.example',
  ],
  [
    'a prefix',
    { 'x-forwarded-host': 'dev.example', 'x-forwarded-prefix': '/a/b/' },
    'http://dev.example/a/b',
  ],
  [
    'several servers: the first one is what the client called',
    { 'x-forwarded-proto': 'https, http', 'x-forwarded-host': 'dev.example, inner.example' },
    'https://dev.example',
  ],
  ['Forwarded', { forwarded: 'for=192.0.2.1;proto=https;host=dev.example' }, 'https://dev.example'],
  [
    'Forwarded with quotes, spaces and a second element',
    { forwarded: 'for="[2001:db8::1]:47";Proto=HTTPS; host="dev.example:8443", for=10.0.0.1' },
    'https://dev.example:8443',
  ],
  ['an IPv6 host', { forwarded: 'host="[fd00::1]:8443"' }, 'http://[fd00::1]:8443'],
  ['a loopback host', { 'x-forwarded-host': 'localhost:5173' }, 'http://localhost:5173'],
  // What follows is not believed.
  ['a host that is not allowed', { 'x-forwarded-host': 'evil.example' }, PLAIN],
  ['a host with user information', { 'x-forwarded-host': 'dev.example@evil.example' }, PLAIN],
  ['a host with a path', { 'x-forwarded-host': 'dev.example/evil' }, PLAIN],
  ['a port too large', { 'x-forwarded-host': 'dev.example:65536' }, PLAIN],
  [
    'a port of its own that is too large',
    { 'x-forwarded-host': 'dev.example', 'x-forwarded-port': '99999' },
    'http://dev.example',
  ],
  ['a subdomain of localhost', { 'x-forwarded-host': 'evil.localhost' }, PLAIN],
  ['an address in another spelling', { 'x-forwarded-host': '127.1' }, PLAIN],
  ['a scheme of another kind', { 'x-forwarded-proto': 'javascript' }, PLAIN],
  ['a prefix that leads elsewhere', { 'x-forwarded-prefix': '//evil.example' }, PLAIN],
  ['a prefix with dots', { 'x-forwarded-prefix': '/a/../b' }, PLAIN],
  ['a broken Forwarded', { forwarded: 'proto=https;host="dev.example' }, PLAIN],
];

describe('what links begin with, as a trusted server says', () => {
  for (const [title, headers, expected] of TABLE) {
    it(title, () => assert.equal(baseOf(NAMED, headers), expected));
  }
});

it('whatever a server in front sends, links begin with a URL of an allowed host', () => {
  const { below, pick } = createRandom(17);
  const pieces =
    'https http proto= host= for= ; , " \\ / // .. @ dev.example evil.example localhost [::1] [fd00::1] :8443 : %0d%0a #'.split(
      ' ',
    );
  const text = () => Array.from({ length: below(7) }, () => pick(pieces)).join('');
  const allowed = new Set(['dev.example', '[fd00::1]', 'localhost', '[::1]']);
  for (let i = 0; i < 20_000; i += 1) {
    const headers = {
      forwarded: text(),
      'x-forwarded-proto': text(),
      'x-forwarded-host': text(),
      'x-forwarded-port': text(),
      'x-forwarded-prefix': text(),
    };
    const base = baseOfNamed(headers);
    const { protocol, hostname, username, search, hash } = new URL(`${base}/fhir`);
    assert.ok(allowed.has(hostname), `${JSON.stringify(headers)} gives ${base}`);
    assert.match(protocol, /^https?:$/);
    assert.equal(username + search + hash, '');
    assert.ok(!base.endsWith('/'));
  }
});

describe('whom the headers are believed from', () => {
  const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'dev.example' };
  const cases: readonly (readonly [string, string[] | undefined, boolean])[] = [
    ['127.0.0.1', undefined, true],
    ['::1', undefined, true],
    ['192.0.2.7', undefined, false],
    ['127.0.0.1', [], false],
    ['127.0.0.1', ['10.0.0.0/8'], false],
    ['10.9.8.7', ['10.0.0.0/8'], true],
    ['::ffff:10.9.8.7', ['10.0.0.0/8'], true],
    ['11.0.0.1', ['10.0.0.0/8'], false],
    ['fd00::5', ['fd00::/8'], true],
    ['192.0.2.7', ['192.0.2.7'], true],
    ['192.0.2.8', ['192.0.2.7'], false],
  ];
  for (const [peer, trustedProxies, isBelieved] of cases) {
    const list = trustedProxies === undefined ? 'the default' : JSON.stringify(trustedProxies);
    it(`${peer} with ${list}: ${isBelieved ? 'yes' : 'no'}`, () => {
      const listen = { ...NAMED, ...(trustedProxies === undefined ? {} : { trustedProxies }) };
      const expected = isBelieved ? 'https://dev.example' : PLAIN;
      assert.equal(baseOf(listen, headers, peer), expected);
    });
  }
});

describe('listen.publicUrl', () => {
  it('is what every link begins with, whatever headers say', () => {
    const listen = { publicUrl: 'https://dev.example/fhirproxy/' };
    const headers = { 'x-forwarded-host': 'localhost:1', 'x-forwarded-proto': 'http' };
    assert.equal(baseOf(listen, headers), 'https://dev.example/fhirproxy');
  });

  it('adds its host and its origin to the allowed ones, and no others', () => {
    const gate = buildGate({ listen: { publicUrl: 'https://Dev.example/fhirproxy' } });
    const verdictOf = (...fields: string[]) => verdict(ask(gate, 'GET', '/fhir/Patient', fields));
    assert.equal(verdictOf('Host', 'dev.example'), 'route');
    assert.equal(verdictOf('Origin', 'https://dev.example'), 'route');
    assert.equal(verdictOf('Origin', 'http://dev.example'), 'origin-refused');
    assert.equal(verdictOf('Origin', 'https://dev.example:8443'), 'origin-refused');
    assert.equal(verdictOf('Host', 'other.example'), 'host-refused');
  });

  for (const value of [
    'dev.example',
    'ftp://dev.example',
    'https://user@dev.example',
    'https://dev.example/a?b',
    'https://dev.example/a#b',
    'https://dev.example//a',
    'https://dev.example/a/../b',
    'https://dev.example/a b',
  ]) {
    it(`"${value}" is refused`, () => {
      const listen = { publicUrl: value };
      const routes = [{ path: '/fhir', upstream: 'sandbox' }];
      assert.equal(configSchema.safeParse({ listen, routes }).success, false);
    });
  }
});

for (const value of ['example', '10.0.0.0/33', '::/129', '10.0.0', '10.0.0.1/', '']) {
  it(`"${value}" is no trusted server`, () => {
    const listen = { trustedProxies: [value] };
    const routes = [{ path: '/fhir', upstream: 'sandbox' }];
    assert.equal(configSchema.safeParse({ listen, routes }).success, false);
  });
}

describe('a whole proxy', () => {
  const searchset: Pick<StartOptions, 'fhir'> = {
    fhir: (authorization) => (_request, response) => {
      const url = `${authorization.fhirBase.href}/Patient?page=2`;
      response.writeHead(200, {
        'content-type': 'application/fhir+json',
        'content-location': `${authorization.fhirBase.href}/Patient/p1`,
      });
      response.end(JSON.stringify({ resourceType: 'Bundle', link: [{ relation: 'next', url }] }));
    },
  };
  const nextOf = (body: string) =>
    (JSON.parse(body) as { link: { url: string }[] }).link[0]?.url ?? '';

  it('writes links and headers by what a server in front says, for that response alone', async (t) => {
    const { fetch, url } = await startProxy(t, {
      ...searchset,
      config: { listen: { allowedHosts: ['dev.example'] } },
    });
    const headers = { forwarded: 'proto=https;host=dev.example' };
    const there = await fetch('/fhir/Patient', { headers });
    assert.equal(nextOf(await there.text()), 'https://dev.example/fhir/Patient?page=2');
    assert.equal(there.headers.get('content-location'), 'https://dev.example/fhir/Patient/p1');
    assert.equal(nextOf(await (await fetch('/fhir/Patient')).text()), `${url}/fhir/Patient?page=2`);
  });

  it('writes links and hints by its public URL, and takes a new one over while it runs', async (t) => {
    const started = await startProxy(t, {
      ...searchset,
      config: { listen: { publicUrl: 'https://dev.example/fhirproxy' } },
    });
    const { proxy, config, fetch } = started;
    const before = nextOf(await (await fetch('/fhir/Patient')).text());
    assert.equal(before, 'https://dev.example/fhirproxy/fhir/Patient?page=2');
    const listen = { ...config.listen, publicUrl: 'https://other.example' };
    const { needsRestart } = await proxy.reload({ ...config, listen });
    assert.deepEqual(needsRestart, []);
    const after = nextOf(await (await fetch('/fhir/Patient')).text());
    assert.equal(after, 'https://other.example/fhir/Patient?page=2');
  });

  it('a request without a Host has no links of anyone', async (t) => {
    const { port } = await startProxy(t, searchset);
    const socket = connect(port, '127.0.0.1');
    socket.end('GET /fhir/Patient HTTP/1.1\r\nX-Forwarded-Host: evil.example\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    assert.match(text, /^HTTP\/1\.1 40[03] /);
    assert.doesNotMatch(text, /evil/);
  });
});
