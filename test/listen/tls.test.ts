import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls';

import { ConfigError } from '../../src/base/errors.ts';
import { loadConfig } from '../../src/config/load.ts';
import { configSchema, type ListenConfig } from '../../src/config/schema.ts';
import { checkPort } from '../../src/doctor/port.ts';
import { createListener } from '../../src/listen/listener.ts';
import { localAuthorityFile, makeLocalCertificate } from '../../src/listen/local-authority.ts';
import { isNearExpiry } from '../../src/listen/local-certificate.ts';
import { createParserRefusals } from '../../src/listen/parser-refusal.ts';
import { createAuthority, createCertificate, type Certificate } from '../support/certificates.ts';
import { startProxy, type Started } from '../support/proxy.ts';

const DAY_MS = 86_400_000;
const onWindows = process.platform === 'win32' && 'files have no mode bits there';

function createFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tls-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A state folder that this test has for itself. */
function useStateFolder(t: TestContext): string {
  const before = process.env['XDG_STATE_HOME'];
  const folder = createFolder(t);
  process.env['XDG_STATE_HOME'] = folder;
  t.after(() => {
    if (before === undefined) delete process.env['XDG_STATE_HOME'];
    else process.env['XDG_STATE_HOME'] = before;
  });
  return folder;
}

/** Checked settings, on a free port. */
function checked(listen: object): ListenConfig {
  const routes = [{ path: '/fhir', upstream: 'sandbox' }];
  return configSchema.parse({ listen: { port: 0, ...listen }, routes }).listen;
}

function writePair(folder: string, { cert, key }: Certificate): { cert: string; key: string } {
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key, { mode: 0o600 });
  return files;
}

interface Answer {
  status: number;
  body: string;
  certificate: PeerCertificate;
}

function get(url: string, ca: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(url, { ca, headers, agent: false }, (response) => {
      const certificate = (response.socket as TLSSocket).getPeerCertificate();
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, certificate }));
    })
      .on('error', reject)
      .end();
  });
}

/** A proxy whose upstream answers with a link to its own next page. */
function startLinking(t: TestContext, listen: object): Promise<Started> {
  return startProxy(t, {
    config: { listen },
    fhir: (authorization) => (_request, response) => {
      const url = `${authorization.fhirBase.href}/Patient?page=2`;
      response.writeHead(200, { 'content-type': 'application/fhir+json' });
      response.end(JSON.stringify({ resourceType: 'Bundle', link: [{ relation: 'next', url }] }));
    },
  });
}

async function problemOf(doing: Promise<unknown>): Promise<{ path: string; message: string }> {
  const error = await doing.then(
    () => assert.fail('it did not fail'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof ConfigError, String(error));
  return error.problems[0]!;
}

describe('"auto"', () => {
  it('both loopback addresses and localhost speak TLS that the authority vouches for, and links are https', async (t) => {
    useStateFolder(t);
    const { url, port, config } = await startLinking(t, { tls: 'auto' });
    assert.equal(url, `https://127.0.0.1:${port}`);
    const ca = readFileSync(localAuthorityFile(config.listen)!, 'utf8');
    for (const host of ['localhost', '127.0.0.1', '[::1]']) {
      const { status, body } = await get(`https://${host}:${port}/fhir/Patient`, ca);
      assert.equal(status, 200, body);
      assert.ok(body.includes(`"https://${host}:${port}/fhir/Patient?page=2"`), body);
    }
  });

  it('the authority is made once, its key is for its owner alone, and certificates are new each time', async (t) => {
    useStateFolder(t);
    const listen = { host: undefined, allowedHosts: [] };
    const [first, second] = await Promise.all([
      makeLocalCertificate(listen),
      makeLocalCertificate(listen),
    ]);
    const file = localAuthorityFile(listen)!;
    const folder = dirname(file);
    assert.deepEqual(readdirSync(folder).sort(), ['authority.pem', 'ca.pem']);
    if (onWindows === false) {
      assert.equal(statSync(join(folder, 'authority.pem')).mode & 0o777, 0o600);
      assert.equal(statSync(folder).mode & 0o777, 0o700);
    }
    const authority = new X509Certificate(readFileSync(file));
    for (const { cert, key } of [first, second, await makeLocalCertificate(listen)]) {
      const certificate = new X509Certificate(cert);
      assert.ok(certificate.verify(authority.publicKey));
      assert.ok(Date.parse(certificate.validTo) < Date.now() + 31 * DAY_MS);
      assert.ok(!readFileSync(join(folder, 'authority.pem'), 'utf8').includes(key));
    }
    assert.notEqual(first.cert, second.cert);
  });

  it('a certificate for the names in "host" and "allowedHosts" has an authority of its own', async (t) => {
    useStateFolder(t);
    const loopback = { host: '127.0.0.1', allowedHosts: ['localhost'] };
    const beyond = { host: '0.0.0.0', allowedHosts: ['dev.example', '[fd00::1]'] };
    assert.notEqual(localAuthorityFile(loopback), localAuthorityFile(beyond));
    const { cert } = await makeLocalCertificate(beyond);
    const { subjectAltName } = new X509Certificate(cert);
    assert.equal(
      subjectAltName,
      'DNS:localhost, DNS:dev.example, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:FD00:0:0:0:0:0:0:1',
    );
  });

  it('what a stolen authority key signs for another name is refused by clients', async (t) => {
    useStateFolder(t);
    const listen = { host: undefined, allowedHosts: [] };
    await makeLocalCertificate(listen);
    const file = localAuthorityFile(listen)!;
    const stolen = readFileSync(join(dirname(file), 'authority.pem'), 'utf8');
    const end = stolen.indexOf('-----BEGIN CERTIFICATE-----');
    const forged = await createCertificate(
      { commonName: 'bank.example', hosts: ['bank.example'], addresses: [] },
      { key: stolen.slice(0, end), cert: stolen.slice(end) },
    );
    const { port } = await startProxy(t, {
      config: { listen: { tls: writePair(createFolder(t), forged) } },
    });
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      servername: 'bank.example',
      ca: readFileSync(file, 'utf8'),
    });
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    assert.match(error.message, /permitted subtree violation/);
  });

  it('an authority whose key others can read is refused', { skip: onWindows }, async (t) => {
    useStateFolder(t);
    const listen = { host: undefined, allowedHosts: [] };
    await makeLocalCertificate(listen);
    chmodSync(join(dirname(localAuthorityFile(listen)!), 'authority.pem'), 0o644);
    const { path, message } = await problemOf(makeLocalCertificate(listen));
    assert.equal(path, 'listen.tls');
    assert.match(message, /authority\.pem/);
  });

  const damages: readonly (readonly [string, (file: string) => string | Promise<string>])[] = [
    [
      'that ends soon',
      async () => {
        const { key, cert } = await createCertificate({ notAfterMs: Date.now() + 3 * DAY_MS });
        return key + cert;
      },
    ],
    [
      'that is a certificate of a server',
      async () => {
        const { key, cert } = await createCertificate();
        return key + cert;
      },
    ],
    [
      'whose key is another one',
      async (file) =>
        (await createCertificate()).key +
        readFileSync(file, 'utf8').replace(/^[^]*?(?=-----BEGIN CERTIFICATE)/, ''),
    ],
    ['whose file was cut', (file) => readFileSync(file, 'utf8').slice(0, 300)],
    ['whose file is empty', () => ''],
  ];
  for (const [title, damage] of damages) {
    it(`an authority ${title} is replaced`, async (t) => {
      useStateFolder(t);
      const listen = { host: undefined, allowedHosts: [] };
      await makeLocalCertificate(listen);
      const file = join(dirname(localAuthorityFile(listen)!), 'authority.pem');
      writeFileSync(file, await damage(file), { mode: 0o600 });
      const made = await makeLocalCertificate(listen);
      const authority = new X509Certificate(readFileSync(localAuthorityFile(listen)!));
      assert.equal(authority.ca, true);
      assert.ok(new X509Certificate(made.cert).verify(authority.publicKey));
      const again = await makeLocalCertificate(listen);
      assert.ok(new X509Certificate(again.cert).verify(authority.publicKey), 'once');
    });
  }

  it('a certificate is made anew ten days before its end', () => {
    assert.equal(isNearExpiry({ notAfterMs: Date.now() + 11 * DAY_MS }), false);
    assert.equal(isNearExpiry({ notAfterMs: Date.now() + 9 * DAY_MS }), true);
  });

  it('the doctor looks at the port and makes nothing', async (t) => {
    const folder = useStateFolder(t);
    const listen = checked({ tls: 'auto' });
    assert.equal((await checkPort(listen)).status, 'ok');
    assert.deepEqual(readdirSync(folder), []);
  });

  it('the doctor recognises the proxy that runs with TLS', async (t) => {
    useStateFolder(t);
    const { config, port } = await startProxy(t, { config: { listen: { tls: 'auto' } } });
    const { status, message } = await checkPort({ ...config.listen, port });
    assert.equal(status, 'ok');
    assert.match(message, /is running/);
  });
});

describe('a certificate of files', () => {
  it('is used, and a renewed one is taken over while the proxy runs', async (t) => {
    const authority = await createAuthority();
    const folder = createFolder(t);
    const tls = writePair(folder, await createCertificate({}, authority));
    const { proxy, config, port } = await startProxy(t, { config: { listen: { tls } } });
    const before = await get(`https://localhost:${port}/_proxy/livez`, authority.cert);
    assert.equal(before.body, 'alive\n');
    const renewed = await createCertificate({}, authority);
    writePair(folder, renewed);
    const report = await proxy.reload(config);
    assert.deepEqual(report.needsRestart, []);
    const after = await get(`https://localhost:${port}/_proxy/livez`, authority.cert);
    const wanted = new X509Certificate(renewed.cert).fingerprint256;
    assert.equal(after.certificate.fingerprint256, wanted);
    assert.notEqual(before.certificate.fingerprint256, wanted);
  });

  it('a broken one is refused with its setting, and the old one stays', async (t) => {
    const authority = await createAuthority();
    const folder = createFolder(t);
    const tls = writePair(folder, await createCertificate({}, authority));
    const { proxy, config, port } = await startProxy(t, { config: { listen: { tls } } });
    writeFileSync(tls.cert, 'nothing');
    const { path, message } = await problemOf(proxy.reload(config));
    assert.equal(path, 'listen.tls.cert');
    assert.match(message, /holds no certificate/);
    const there = await get(`https://localhost:${port}/_proxy/livez`, authority.cert);
    assert.equal(there.status, 200);
  });

  it('a renewed one waits when the rest of the new configuration cannot be used', async (t) => {
    const authority = await createAuthority();
    const folder = createFolder(t);
    const first = await createCertificate({}, authority);
    const tls = writePair(folder, first);
    const { proxy, config, port } = await startProxy(t, { config: { listen: { tls } } });
    writePair(folder, await createCertificate({}, authority));
    const route = {
      ...config.routes[0]!,
      path: '/other',
      tls: { insecure: false, ca: '/nowhere' },
    };
    await assert.rejects(proxy.reload({ ...config, routes: [route] }), ConfigError);
    const { certificate } = await get(`https://localhost:${port}/_proxy/livez`, authority.cert);
    assert.equal(certificate.fingerprint256, new X509Certificate(first.cert).fingerprint256);
  });

  it('the doctor judges its files', async (t) => {
    const tls = writePair(createFolder(t), await createCertificate());
    assert.equal((await checkPort(checked({ tls }))).status, 'ok');
    rmSync(tls.cert);
    const { status, message } = await checkPort(checked({ tls }));
    assert.equal(status, 'fail');
    assert.match(message, /does not exist/);
  });

  it('turning TLS on or off takes a restart', async (t) => {
    const { proxy, config } = await startProxy(t);
    const listen = { ...config.listen, tls: { cert: '/nowhere', key: '/nowhere' } };
    const { needsRestart } = await proxy.reload({ ...config, listen });
    assert.deepEqual(needsRestart, ['listen.tls']);
  });

  const faults: readonly (readonly [
    string,
    (files: { cert: string; key: string }) => Promise<void> | void,
    string,
    RegExp,
  ])[] = [
    [
      'a key that others can read',
      ({ key }) => chmodSync(key, 0o644),
      'listen.tls.key',
      /key\.pem/,
    ],
    ['a missing certificate', ({ cert }) => rmSync(cert), 'listen.tls.cert', /does not exist/],
    ['a missing key', ({ key }) => rmSync(key), 'listen.tls.key', /does not exist/],
    [
      'a key of another certificate',
      async ({ key }) => writeFileSync(key, (await createCertificate()).key),
      'listen.tls.key',
      /is not the private key of the certificate/,
    ],
    [
      'a file that is no key',
      ({ key }) => writeFileSync(key, 'x'),
      'listen.tls.key',
      /no private key/,
    ],
  ];
  for (const [title, spoil, setting, expected] of faults) {
    const skip = title === 'a key that others can read' && onWindows;
    it(`${title} is refused`, { skip }, async (t) => {
      const tls = writePair(createFolder(t), await createCertificate());
      await spoil(tls);
      const listener = createListener(
        checked({ tls }),
        (_request, response) => response.end(),
        () => {},
      );
      const { path, message } = await problemOf(listener.listen());
      assert.equal(path, setting);
      assert.match(message, expected);
    });
  }
});

describe('connections', () => {
  it('plain HTTP on the TLS port is refused by log, and reaches nothing', async (t) => {
    useStateFolder(t);
    const refused: string[] = [];
    let served = 0;
    const listener = createListener(
      checked({ tls: 'auto' }),
      () => (served += 1),
      (error) => refused.push(error.code),
    );
    t.after(() => listener.stop(0));
    const port = Number(new URL(await listener.listen()).port);
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket.resume(), 'close');
    assert.equal(served, 0);
    assert.deepEqual(refused, ['tls-refused']);
  });

  for (const [code, expected] of [
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', ['tls-refused']],
    ['ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', ['tls-refused']],
    ['ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN', ['tls-refused']],
    ['ERR_SSL_NO_SHARED_CIPHER', []],
    ['ECONNRESET', []],
  ] as const) {
    it(`a client that ends the handshake by ${code} ${expected.length > 0 ? 'leaves a word in the log' : 'is passed over'}`, () => {
      const refused: string[] = [];
      const refusals = createParserRefusals(
        checked({}).limits,
        () => [],
        (error) => refused.push(error.code),
      );
      const socket = new PassThrough();
      refusals.refuse(Object.assign(new Error(code), { code }), socket);
      assert.deepEqual(refused, expected);
      assert.equal(socket.destroyed, true);
    });
  }

  it('a stop does not wait for a connection that never ends its handshake', async (t) => {
    useStateFolder(t);
    const listener = createListener(
      checked({ tls: 'auto' }),
      (_request, response) => response.end('here'),
      () => {},
    );
    const url = new URL(await listener.listen());
    const silent = connect(Number(url.port), '127.0.0.1');
    const accepted = once(listener.server, 'connection');
    await Promise.all([once(silent, 'connect'), accepted]);
    const idle = connectTls({ port: Number(url.port), rejectUnauthorized: false });
    await once(idle, 'secureConnect');
    const closed = [silent, idle].map((socket) => once(socket.resume(), 'close'));
    await listener.stop(600_000);
    await Promise.all(closed);
  });

  it('speaks HTTP/1.1 to a client that offers HTTP/2 as well', async (t) => {
    useStateFolder(t);
    const { port } = await startProxy(t, { config: { listen: { tls: 'auto' } } });
    const socket = connectTls({
      port,
      ALPNProtocols: ['h2', 'http/1.1'],
      rejectUnauthorized: false,
    });
    await once(socket, 'secureConnect');
    assert.equal(socket.alpnProtocol, 'http/1.1');
    socket.destroy();
  });
});

describe('the setting', () => {
  const routes = [{ path: '/fhir', upstream: 'sandbox' }];
  const load = (listen: object, environment = {}) =>
    loadConfig({ text: JSON.stringify({ listen, routes }), cwd: '/work', environment });

  it('paths count from the config file, and come from the environment as well', async () => {
    const { config } = await load({ tls: { cert: 'a.pem', key: 'b.pem' } });
    assert.deepEqual(config.listen.tls, { cert: '/work/a.pem', key: '/work/b.pem' });
    const fromEnvironment = await load(
      {},
      {
        FHIR_AUTH_PROXY_LISTEN_TLS_CERT_FILE: 'c.pem',
        FHIR_AUTH_PROXY_LISTEN_TLS_KEY_FILE: 'd.pem',
      },
    );
    assert.deepEqual(fromEnvironment.config.listen.tls, {
      cert: '/work/c.pem',
      key: '/work/d.pem',
    });
    const auto = await load({}, { FHIR_AUTH_PROXY_LISTEN_TLS: 'auto' });
    assert.equal(auto.config.listen.tls, 'auto');
  });

  const wrong: readonly (readonly [string, object, string, RegExp])[] = [
    ['another word', { tls: 'yes' }, 'listen.tls', /expected "auto", or an object/],
    ['a number', { tls: 1 }, 'listen.tls', /expected "auto", or an object/],
    ['no key', { tls: { cert: 'a.pem' } }, 'listen.tls.key', /is missing/],
    ['an unknown key', { tls: { cert: 'a', key: 'b', ca: 'c' } }, 'listen.tls.ca', /unknown key/],
    ['an empty path', { tls: { cert: '', key: 'b' } }, 'listen.tls.cert', /is empty/],
    [
      'a Unix socket beside it',
      { tls: 'auto', socket: 'a.sock' },
      'listen.tls',
      /"listen\.socket"/,
    ],
  ];
  for (const [title, listen, path, message] of wrong) {
    it(`${title} is an error of its own`, async () => {
      const problem = await problemOf(load(listen));
      assert.equal(problem.path, path);
      assert.match(problem.message, message);
    });
  }
});
