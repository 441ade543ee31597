import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ask, buildGate, refusal, verdict } from '../support/gate.ts';

const gate = buildGate({ listen: { allowedHosts: ['proxy.example', '[fd00::1]'] } });
const hosts = (...values: string[]): string[] => values.flatMap((value) => ['Host', value]);

const ALLOWED: readonly (readonly [name: string, host: string])[] = [
  ['localhost', 'localhost'],
  ['localhost with a port', 'localhost:8088'],
  ['another port: a tunnel or a container maps it', 'localhost:9999'],
  ['case does not matter', 'LocalHost:8088'],
  ['127.0.0.1', '127.0.0.1:8088'],
  ['the rest of 127.0.0.0/8', '127.1.2.3'],
  ['the IPv6 loopback address', '[::1]:8088'],
  ['a name of allowedHosts', 'proxy.example'],
  ['a name of allowedHosts with port and other case', 'Proxy.Example:80'],
  ['an IPv6 address of allowedHosts', '[fd00::1]:8088'],
];

for (const [name, host] of ALLOWED) {
  test(`host allowed: ${name}`, () => {
    assert.equal(verdict(ask(gate, 'GET', '/fhir/Patient', hosts(host))), 'route');
  });
}

const REFUSED: readonly (readonly [name: string, ...hosts: string[]])[] = [
  ['another name', 'evil.com'],
  ['a name that begins with localhost', 'localhost.evil.com'],
  ['a name that ends with localhost', 'evil-localhost'],
  ['a subdomain of localhost', 'evil.localhost'],
  ['localhost with a final dot', 'localhost.'],
  ['localhost as user information', 'localhost@evil.com'],
  ['user information before localhost', 'evil@localhost'],
  ['a name like an address, dots not dots', '127a0b0c1'],
  ['a name that begins with an address', '127.0.0.1.evil.com'],
  ['an address in decimal', '2130706433'],
  ['an address in octal', '0177.0.0.1'],
  ['an address with a leading zero', '127.0.0.01'],
  ['a short address', '127.1'],
  ['an octet too large', '127.0.0.256'],
  ['the unspecified address', '0.0.0.0:8088'],
  ['another IPv6 address', '[::2]'],
  ['an IPv6 address without brackets', '::1'],
  ['an IPv6 zone', '[::1%25eth0]'],
  ['a subdomain of an allowed host', 'a.proxy.example'],
  ['an allowed host as a suffix', 'evilproxy.example'],
  ['an allowed host with a final dot', 'proxy.example.'],
  ['a port that is none', 'localhost:http'],
  ['a port too large', 'localhost:65536'],
  ['an empty port', 'localhost:'],
  ['two ports', 'localhost:80:80'],
  ['an empty name', ''],
  ['a list', 'localhost, evil.com'],
  ['a space', 'localhost evil.com'],
  ['a path', 'localhost/fhir'],
  ['two fields', 'localhost', 'evil.com'],
  ['two equal fields', 'localhost', 'localhost'],
];

for (const [name, ...values] of REFUSED) {
  test(`host refused: ${name}`, () => {
    const error = refusal(ask(gate, 'GET', '/fhir/Patient', hosts(...values)));
    assert.equal(error.code, 'host-refused');
    assert.equal(error.status, 403);
  });
}

test('a request without a Host field is refused', () => {
  const error = refusal(gate.admit({ method: 'GET', url: '/fhir', rawHeaders: ['Accept', '*/*'] }));
  assert.equal(error.code, 'host-refused');
  assert.match(error.message, /no "Host" field/);
});

test('the refusal names the host and the configuration line that would allow it', () => {
  assert.equal(
    refusal(ask(gate, 'GET', '/', hosts('Evil.com:80'))).message,
    'host "evil.com" is not allowed: expected a loopback name or one of "listen.allowedHosts". To allow it, add "evil.com" to "listen.allowedHosts"',
  );
});

test('a host that is no host name is never suggested for the configuration', () => {
  const { message } = refusal(ask(gate, 'GET', '/', hosts('localhost@evil.com')));
  assert.match(message, /^"Host" field "localhost@evil.com" is not a host name/);
  assert.doesNotMatch(message, /allowedHosts/);
});

test('what a Host field says cannot break the line of a log or a terminal', () => {
  const { message } = refusal(ask(gate, 'GET', '/', hosts(`\u001b[31m"\u00e9${'x'.repeat(200)}`)));
  assert.match(message, /^[\x20-\x7e…]{1,300}$/);
});

test('the host is judged before method and target', () => {
  assert.equal(verdict(ask(gate, 'TRACE', 'http://x/', hosts('evil.com'))), 'host-refused');
});

test('a name that passed once does not let another pass', () => {
  for (let port = 1; port < 300; port++) {
    assert.equal(verdict(ask(gate, 'GET', '/fhir', hosts(`localhost:${port}`))), 'route');
  }
  assert.equal(verdict(ask(gate, 'GET', '/fhir', hosts('localhost.evil.com'))), 'host-refused');
});

test('unsafeAnyHost lets any name pass, but still exactly one that is well-formed', () => {
  const open = buildGate({ listen: { unsafeAnyHost: true } });
  assert.equal(verdict(ask(open, 'GET', '/fhir', hosts('evil.com'))), 'route');
  assert.equal(verdict(ask(open, 'GET', '/fhir', hosts('a', 'b'))), 'host-refused');
  assert.equal(verdict(ask(open, 'GET', '/fhir', hosts('a@b'))), 'host-refused');
});
