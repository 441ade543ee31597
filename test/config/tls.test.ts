import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, before, describe, it } from 'node:test';
import tls, { type TLSSocket } from 'node:tls';

import { ConfigError } from '../../src/base/errors.ts';
import { type TlsConfig, tlsSchema } from '../../src/config/schema.ts';
import { authoritiesWith, loadTlsOptions } from '../../src/config/tls.ts';
import { type Certificate, createAuthority, createCertificate } from '../support/certificates.ts';

let authority: Certificate;
let server: Certificate;
let client: Certificate;
let selfSigned: Certificate;

before(async () => {
  authority = await createAuthority();
  server = await createCertificate({}, authority);
  client = await createCertificate({ commonName: 'proxy' }, authority);
  selfSigned = await createCertificate({ hosts: ['openemr.example'], addresses: [] });
});

function settingsWith(values: Partial<TlsConfig>): TlsConfig {
  return tlsSchema.parse(values);
}

/** Writes files into a fresh folder and gives their paths. */
function createFiles<Names extends string>(
  t: TestContext,
  files: Record<Names, string>,
): Record<Names, string> {
  const folder = mkdtempSync(join(tmpdir(), 'config-tls-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const entries = Object.entries<string>(files).map(([name, text]) => {
    writeFileSync(join(folder, name), text);
    return [name, join(folder, name)] as const;
  });
  return Object.fromEntries(entries) as Record<Names, string>;
}

/** Starts a TLS server that asks for a client certificate and sends its common name, or "none". */
async function startServer(t: TestContext, certificate: Certificate): Promise<number> {
  const listener = tls.createServer(
    {
      ...certificate,
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (socket) => {
      socket.on('error', () => {});
      const name = socket.authorized ? String(socket.getPeerCertificate().subject.CN) : 'none';
      socket.end(name);
    },
  );
  listener.on('tlsClientError', () => {});
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  t.after(() => listener.close());
  return (listener.address() as AddressInfo).port;
}

/** Connects with the options of the settings; gives what the server sent. */
async function connect(settings: TlsConfig, port: number): Promise<string> {
  const options = await loadTlsOptions(settings);
  const socket: TLSSocket = tls.connect({ host: '127.0.0.1', port, ...options });
  let received = '';
  for await (const chunk of socket) received += String(chunk);
  return received;
}

describe('loadTlsOptions', () => {
  it('asks for verification, and leaves the rest to Node, when nothing is set', async () => {
    assert.deepEqual(await loadTlsOptions(settingsWith({})), { rejectUnauthorized: true });
  });

  it('trusts a server of the custom authority, and without it does not', async (t) => {
    const port = await startServer(t, server);
    const { ca } = createFiles(t, { ca: authority.cert });
    assert.equal(await connect(settingsWith({ ca }), port), 'none');
    await assert.rejects(connect(settingsWith({}), port), {
      code: 'SELF_SIGNED_CERT_IN_CHAIN',
    });
  });

  it('keeps trusting the usual authorities', () => {
    const authorities = new Set(authoritiesWith(authority.cert));
    assert.ok(tls.rootCertificates.every((usual) => authorities.has(usual)));
    assert.ok(authorities.has(authority.cert.trim()));
  });

  it('trusts a self-signed certificate by its expected name', async (t) => {
    const port = await startServer(t, selfSigned);
    const { ca } = createFiles(t, { ca: selfSigned.cert });
    const serverName = 'openemr.example';
    assert.equal(await connect(settingsWith({ ca, serverName }), port), 'none');
    await assert.rejects(connect(settingsWith({ ca }), port), {
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  it('accepts any certificate only when told to', async (t) => {
    const port = await startServer(t, selfSigned);
    assert.equal(await connect(settingsWith({ insecure: true }), port), 'none');
    await assert.rejects(connect(settingsWith({}), port), {
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
  });

  it('shows the client certificate', async (t) => {
    const port = await startServer(t, server);
    const files = createFiles(t, { ca: authority.cert, cert: client.cert, key: client.key });
    assert.equal(await connect(settingsWith(files), port), 'proxy');
  });

  it('takes several authorities from one file', async (t) => {
    const port = await startServer(t, server);
    const other = await createAuthority('Other authority');
    const { ca } = createFiles(t, { ca: `# two\n${other.cert}\n${authority.cert}` });
    assert.equal(await connect(settingsWith({ ca }), port), 'none');
  });
});

describe('loadTlsOptions refuses', () => {
  it('every bad file at once, each by file and place in the config', async (t) => {
    const { ca } = createFiles(t, { ca: 'no certificate' });
    const error = await loadTlsOptions(
      settingsWith({ ca, cert: '/none/cert.pem', key: tmpdir() }),
      'routes[1].tls',
    ).catch((error: unknown) => error);
    assert.ok(error instanceof ConfigError);
    const told = error.problems.map(({ path, message }) => `${path}: ${message}`).sort();
    assert.deepEqual(told, [
      `routes[1].tls.ca: "${ca}" holds no certificate in PEM form`,
      'routes[1].tls.cert: "/none/cert.pem" does not exist',
      `routes[1].tls.key: "${tmpdir()}" is a folder`,
    ]);
  });

  const cases: [string, () => { cert: string; key: string }, RegExp][] = [
    [
      'a key that is no key',
      () => ({ cert: client.cert, key: 'x' }),
      /holds no private key in PEM form$/,
    ],
    [
      'a certificate in place of the key',
      () => ({ cert: client.cert, key: client.cert }),
      /holds no private key in PEM form$/,
    ],
    [
      'a damaged certificate',
      () => ({
        cert: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
        key: client.key,
      }),
      /holds no certificate in PEM form$/,
    ],
    [
      'the key of another certificate',
      () => ({ cert: client.cert, key: server.key }),
      /is not the private key of the certificate/,
    ],
  ];
  for (const [title, pair, message] of cases) {
    it(`${title}, without showing it`, async (t) => {
      const contents = pair();
      const error = await loadTlsOptions(settingsWith(createFiles(t, contents))).catch(
        (error: unknown) => error,
      );
      assert.ok(error instanceof ConfigError);
      assert.match(error.problems[0]?.message ?? '', message);
      assert.doesNotMatch(error.message, /MIGH|AAAA/);
    });
  }

  it('a key with a passphrase and says how to take it off', async (t) => {
    const key = createPrivateKey(client.key)
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
      .toString();
    const error = await loadTlsOptions(
      settingsWith(createFiles(t, { cert: client.cert, key })),
    ).catch((error: unknown) => error);
    assert.ok(error instanceof ConfigError);
    assert.match(error.problems[0]?.message ?? '', /is protected by a passphrase$/);
    assert.match(error.problems[0]?.remedy ?? '', /openssl pkey/);
  });
});
