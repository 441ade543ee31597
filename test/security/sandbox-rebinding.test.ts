/** DNS rebinding against the sandbox: made-up data, but its admin page enables clients (CVE-2025-24010 is its class). */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { describe, it } from 'node:test';

import { startSandbox } from '../../src/sandbox/index.ts';

function statusOf(
  port: number,
  host: string,
  path = '/apis/default/fhir/metadata',
): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .once('error', reject)
      .end();
  });
}

describe('the sandbox on a loopback address', () => {
  it('answers to loopback names alone', async (t) => {
    const sandbox = await startSandbox();
    t.after(() => sandbox.close());
    const port = Number(new URL(sandbox.fhirBase).port);
    for (const host of [
      'localhost',
      `localhost:${port}`,
      '127.0.0.1',
      '[::1]:1',
      'app.localhost',
    ]) {
      assert.equal(await statusOf(port, host), 200, host);
    }
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      'localhost.evil.example',
      '192.168.0.1',
      'a b',
    ]) {
      for (const path of [
        '/apis/default/fhir/metadata',
        '/interface/smart/admin-client.php',
        '/',
      ]) {
        assert.equal(await statusOf(port, host, path), 421, `${host} ${path}`);
      }
    }
  });

  it('answers to the name that it was given, or to every name when it is told to', async (t) => {
    const named = await startSandbox({ name: 'emr.test' });
    t.after(() => named.close());
    assert.equal(await statusOf(Number(new URL(named.fhirBase).port), 'emr.test'), 200);
    const any = await startSandbox({ anyHost: true });
    t.after(() => any.close());
    assert.equal(await statusOf(Number(new URL(any.fhirBase).port), 'evil.example'), 200);
  });

  it('answers to its Site Address, too', async (t) => {
    const sandbox = await startSandbox({ settings: { siteAddress: 'https://emr.example:9300' } });
    t.after(() => sandbox.close());
    const port = Number(new URL(sandbox.fhirBase).port);
    assert.equal(await statusOf(port, 'emr.example'), 200);
    assert.equal(await statusOf(port, 'other.example'), 421);
  });
});
