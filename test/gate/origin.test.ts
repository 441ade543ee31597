import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Admission } from '../../src/gate/gate.ts';
import { admitted, ask, buildGate, refusal, verdict } from '../support/gate.ts';

const gate = buildGate({
  listen: {
    allowedOrigins: ['https://app.example', 'vscode-webview://panel'],
    allowedHosts: ['proxy.example'],
  },
});
const from = (origin: string, ...more: string[]): string[] => ['Origin', origin, ...more];

const ALLOWED: readonly (readonly [name: string, origin: string])[] = [
  ['localhost', 'http://localhost:3000'],
  ['localhost without port', 'http://localhost'],
  ['localhost over TLS', 'https://localhost:5173'],
  ['127.0.0.1', 'http://127.0.0.1:8080'],
  ['IPv6 loopback', 'http://[::1]:3000'],
  ['an origin of allowedOrigins', 'https://app.example'],
  ['an origin of allowedOrigins with another scheme', 'vscode-webview://panel'],
  ['the proxy itself', 'http://localhost:8088'],
];

for (const [name, origin] of ALLOWED) {
  test(`origin allowed: ${name}`, () => {
    const { corsFields } = admitted(ask(gate, 'GET', '/fhir/Patient', from(origin)));
    assert.equal(fieldOf(corsFields, 'Access-Control-Allow-Origin'), origin);
    assert.equal(fieldOf(corsFields, 'Vary'), 'Origin');
  });
}

const REFUSED: readonly (readonly [name: string, origin: string])[] = [
  ['another site', 'https://evil.com'],
  ['null', 'null'],
  ['a name that begins with localhost', 'http://localhost.evil.com'],
  ['localhost as user information', 'http://localhost@evil.com'],
  ['localhost with a final dot', 'http://localhost.'],
  ['localhost with another scheme', 'ftp://localhost'],
  ['localhost without scheme', 'localhost'],
  ['an allowed origin over http', 'http://app.example'],
  ['an allowed origin with a port', 'https://app.example:8443'],
  ['an allowed origin as a prefix', 'https://app.example.evil.com'],
  ['a subdomain of an allowed origin', 'https://a.app.example'],
  ['an allowed origin with a path', 'https://app.example/x'],
  ['a list of origins', 'http://localhost http://evil.com'],
  ['an empty value', ''],
  ['a wildcard', '*'],
];

for (const [name, origin] of REFUSED) {
  for (const [method, more] of [
    ['GET', []],
    ['POST', ['Content-Type', 'text/plain']],
    ['OPTIONS', ['Access-Control-Request-Method', 'POST']],
  ] as const) {
    test(`origin refused: ${name}, ${method}`, () => {
      const error = refusal(ask(gate, method, '/fhir/Patient', from(origin, ...more)));
      assert.equal(error.code, 'origin-refused');
      assert.equal(error.status, 403);
    });
  }
}

test('the refusal names the origin and the configuration line that would allow it', () => {
  assert.equal(
    refusal(ask(gate, 'GET', '/fhir', from('https://evil.com'))).message,
    'origin "https://evil.com" is not allowed: expected a page of this machine or one of "listen.allowedOrigins". To allow it, add "https://evil.com" to "listen.allowedOrigins"',
  );
});

test('"null" cannot be allowed by the configuration, and the refusal does not say so', () => {
  const { message } = refusal(ask(gate, 'GET', '/fhir', from('null')));
  assert.doesNotMatch(message, /allowedOrigins/);
});

test('a refused origin gets no CORS fields', () => {
  const admission = ask(gate, 'GET', '/fhir', from('https://evil.com'));
  assert.ok(admission.kind === 'refused');
  assert.equal(admission.fields, undefined);
});

test('two Origin fields are refused', () => {
  const two = from('http://localhost', 'Origin', 'https://evil.com');
  assert.equal(verdict(ask(gate, 'GET', '/fhir', two)), 'origin-refused');
});

test('no origin and no Sec-Fetch-Site: no browser, and no CORS fields', () => {
  assert.deepEqual(admitted(ask(gate, 'GET', '/fhir/Patient')).corsFields, []);
});

const SITES: readonly (readonly [site: string, verdict: string])[] = [
  ['same-origin', 'route'],
  ['same-site', 'route'],
  ['none', 'route'],
  ['cross-site', 'origin-refused'],
  ['Same-Origin', 'origin-refused'],
  ['something-new', 'origin-refused'],
];

for (const [site, expected] of SITES) {
  test(`without Origin, Sec-Fetch-Site "${site}": ${expected}`, () => {
    const headers = [
      'Sec-Fetch-Site',
      site,
      'Sec-Fetch-Mode',
      'no-cors',
      'Sec-Fetch-Dest',
      'image',
    ];
    assert.equal(verdict(ask(gate, 'GET', '/fhir/Patient', headers)), expected);
  });
}

const HOST_SITES: readonly (readonly [host: string, site: string, verdict: string])[] = [
  ['localhost:8088', 'same-site', 'route'],
  ['127.0.0.1', 'same-site', 'route'],
  ['[::1]:8088', 'same-site', 'route'],
  ['proxy.example', 'same-origin', 'route'],
  ['proxy.example', 'none', 'route'],
  ['proxy.example', 'same-site', 'origin-refused'],
  ['proxy.example:8088', 'same-site', 'origin-refused'],
  ['PROXY.example', 'same-site', 'origin-refused'],
  ['proxy.example', 'cross-site', 'origin-refused'],
];

for (const mode of ['no-cors', 'navigate', 'websocket']) {
  for (const [host, site, expected] of HOST_SITES) {
    test(`without Origin, host ${host}, Sec-Fetch-Site "${site}", mode ${mode}: ${expected}`, () => {
      const headers = ['Host', host, 'Sec-Fetch-Site', site, 'Sec-Fetch-Mode', mode];
      assert.equal(verdict(ask(gate, 'GET', '/fhir/Patient', headers)), expected);
    });
  }
}

test('a page of the same site that says which it is passes when its origin is allowed', () => {
  const headers = ['Host', 'proxy.example', 'Sec-Fetch-Site', 'same-site'];
  const allowed = [...headers, ...from('https://app.example')];
  assert.equal(verdict(ask(gate, 'GET', '/fhir', allowed)), 'route');
  const other = [...headers, ...from('https://blog.proxy.example')];
  assert.equal(verdict(ask(gate, 'GET', '/fhir', other)), 'origin-refused');
});

test('the refusal of a call without Origin names the configuration line that would allow it', () => {
  const remedy =
    'Open the address by hand, or let the page ask with fetch and add its origin to "listen.allowedOrigins"';
  const message = (...headers: string[]): string =>
    refusal(ask(gate, 'GET', '/fhir', headers)).message;
  assert.equal(
    message('Host', 'proxy.example:8088', 'Sec-Fetch-Site', 'same-site'),
    `another host of the site of "proxy.example" made the browser ask, without saying which. ${remedy}`,
  );
  assert.equal(
    message('Sec-Fetch-Site', 'cross-site'),
    `a page of another site made the browser ask, without saying which. ${remedy}`,
  );
});

test('a second Sec-Fetch-Site field does not hide the first', () => {
  const headers = ['Sec-Fetch-Site', 'cross-site', 'sec-fetch-site', 'none'];
  assert.equal(verdict(ask(gate, 'GET', '/fhir', headers)), 'origin-refused');
});

test('a cross-site navigation to the inspector is refused too', () => {
  const headers = ['Sec-Fetch-Site', 'cross-site', 'Sec-Fetch-Mode', 'navigate'];
  assert.equal(verdict(ask(gate, 'GET', '/_proxy/', headers)), 'origin-refused');
});

test('an allowed origin of another site passes: localhost asks 127.0.0.1', () => {
  const headers = ['Host', '127.0.0.1:8088', ...from('http://localhost:3000')];
  headers.push('Sec-Fetch-Site', 'cross-site');
  assert.equal(verdict(ask(gate, 'GET', '/fhir', headers)), 'route');
});

test('a page of an allowed host may ask that host, but no other', () => {
  const own = ['Host', 'proxy.example:8088', ...from('http://proxy.example:8088')];
  assert.equal(verdict(ask(gate, 'POST', '/_proxy/x', own)), 'reserved');
  const other = ['Host', 'localhost:8088', ...from('http://proxy.example:8088')];
  assert.equal(verdict(ask(gate, 'POST', '/_proxy/x', other)), 'origin-refused');
});

test('credentials are never allowed, and useful fields are exposed', () => {
  const { corsFields } = admitted(ask(gate, 'GET', '/fhir', from('http://localhost')));
  assert.equal(fieldOf(corsFields, 'Access-Control-Allow-Credentials'), undefined);
  const exposed = fieldOf(corsFields, 'Access-Control-Expose-Headers')?.split(', ') ?? [];
  for (const name of ['Location', 'Content-Location', 'Link', 'ETag', 'Server-Timing']) {
    assert.ok(exposed.includes(name), name);
  }
  assert.ok(exposed.includes('Proxy-Status'));
});

test('the fields of one origin are built once', () => {
  const first = admitted(ask(gate, 'GET', '/fhir', from('http://localhost:4000'))).corsFields;
  const second = admitted(ask(gate, 'GET', '/fhir/x', from('http://localhost:4000'))).corsFields;
  assert.equal(first, second);
});

test('many origins are all answered, each with its own name', () => {
  for (let port = 1; port < 300; port++) {
    const { corsFields } = admitted(ask(gate, 'GET', '/fhir', from(`http://localhost:${port}`)));
    assert.equal(fieldOf(corsFields, 'Access-Control-Allow-Origin'), `http://localhost:${port}`);
  }
});

test('a page that may ask can read why it was refused', () => {
  const admission = ask(gate, 'GET', '/nowhere', from('http://localhost:3000'));
  assert.ok(admission.kind === 'refused');
  assert.equal(admission.error.code, 'route-unknown');
  assert.equal(
    fieldOf(admission.fields ?? [], 'Access-Control-Allow-Origin'),
    'http://localhost:3000',
  );
});

test('a preflight is answered with what was asked for', () => {
  const headers = from('http://localhost:3000');
  headers.push('Access-Control-Request-Method', 'PUT');
  headers.push('Access-Control-Request-Headers', 'content-type,if-match,prefer');
  assert.deepEqual(preflight(ask(gate, 'OPTIONS', '/fhir/Patient/1', headers)), {
    'Access-Control-Allow-Origin': 'http://localhost:3000',
    'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
    'Access-Control-Allow-Headers': 'content-type,if-match,prefer',
    'Access-Control-Max-Age': '600',
    Vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network',
  });
});

test('a preflight of a public page for this machine is granted when its origin is', () => {
  const headers = from('https://app.example', 'Access-Control-Request-Method', 'GET');
  headers.push('Access-Control-Request-Private-Network', 'true');
  const fields = preflight(ask(gate, 'OPTIONS', '/fhir/Patient', headers));
  assert.equal(fields['Access-Control-Allow-Private-Network'], 'true');
});

test('a preflight names the methods of the route that it is for', () => {
  const readOnly = buildGate({ access: { readOnly: true } });
  const headers = from('http://localhost', 'Access-Control-Request-Method', 'PUT');
  const fields = preflight(ask(readOnly, 'OPTIONS', '/fhir/Patient/1', headers));
  assert.equal(fields['Access-Control-Allow-Methods'], 'GET, HEAD, POST, OPTIONS');
});

test('a preflight whose field list is no field list gets the usual fields', () => {
  const headers = from('http://localhost', 'Access-Control-Request-Method', 'GET');
  headers.push('Access-Control-Request-Headers', 'x"y<z>');
  const fields = preflight(ask(gate, 'OPTIONS', '/fhir', headers));
  assert.match(fields['Access-Control-Allow-Headers'] ?? '', /^Accept, Content-Type/);
});

test('a preflight for a path outside every route is granted, so that the page can read the 404', () => {
  const headers = from('http://localhost', 'Access-Control-Request-Method', 'GET');
  assert.equal(verdict(ask(gate, 'OPTIONS', '/nowhere', headers)), 'preflight');
});

test('OPTIONS that is no preflight is answered with Allow', () => {
  assert.deepEqual(preflight(ask(gate, 'OPTIONS', '/fhir/Patient')), {
    Allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
  });
  const headers = from('http://localhost:3000');
  const fields = preflight(ask(gate, 'OPTIONS', '/fhir/Patient', headers));
  assert.equal(fields['Access-Control-Allow-Origin'], 'http://localhost:3000');
});

function fieldOf(fields: readonly string[], name: string): string | undefined {
  const at = fields.findIndex((each, i) => i % 2 === 0 && each === name);
  return at < 0 ? undefined : fields[at + 1];
}

function preflight(admission: Admission): Record<string, string> {
  if (admission.kind !== 'preflight')
    throw new Error(`expected a preflight: ${verdict(admission)}`);
  const record: Record<string, string> = {};
  for (let i = 0; i < admission.fields.length; i += 2) {
    record[admission.fields[i]!] = admission.fields[i + 1]!;
  }
  return record;
}
