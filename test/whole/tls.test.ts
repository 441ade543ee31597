import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { startCli } from '../support/cli.ts';

function get(url: string, ca: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    request(url, { ca, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    })
      .on('error', reject)
      .end();
  });
}

function createPlace(t: TestContext): { cwd: string; environment: Record<string, string> } {
  const cwd = mkdtempSync(join(tmpdir(), 'tls-'));
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  const environment = { FHIR_AUTH_PROXY_LISTEN_TLS: 'auto', XDG_STATE_HOME: join(cwd, 'state') };
  return { cwd, environment };
}

test('the built program speaks TLS, and says what to type so that it is trusted', async (t) => {
  const { cwd, environment } = createPlace(t);
  const options = { cwd, environment, signal: t.signal };
  const run = startCli(['start', '--sandbox', '--port', '0'], options);
  const [, port = ''] = await run.outMatches(/^ready on https:\/\/127\.0\.0\.1:(\d+)$/m);
  const [, authority = ''] = await run.outMatches(/^try: curl --cacert (\S+) https:/m);
  assert.ok(authority.startsWith(join(cwd, 'state')), authority);

  const shown = startCli(['certificate', '--json'], options);
  assert.equal(await shown.ended, 0, shown.err());
  assert.deepEqual(JSON.parse(shown.out()), { authority });
  const explained = startCli(['certificate'], options);
  assert.equal(await explained.ended, 0, explained.err());
  assert.ok(explained.out().includes(`export NODE_EXTRA_CA_CERTS=${authority}`), explained.out());

  const ca = readFileSync(authority, 'utf8');
  const { status, body } = await get(`https://localhost:${port}/fhir/Patient?_count=1`, ca);
  assert.equal(status, 200, body);
  assert.ok(body.includes(`"https://localhost:${port}/fhir/Patient/`), body);
  assert.ok(!body.includes('http://localhost'), body);

  const health = startCli(['health', '--port', port], options);
  assert.equal(await health.ended, 0, health.err());
  run.child.kill('SIGTERM');
  assert.equal(await run.ended, 143, run.err());
});

test('exec gives its command a plain address that it can call, whatever "listen" says', async (t) => {
  const { cwd, environment } = createPlace(t);
  const script =
    'fetch(process.env.FHIR_BASE_URL + "/Patient?_count=1").then((r) => r.text()).then(console.log)';
  const run = startCli(['exec', '--sandbox', '--', process.execPath, '-e', script], {
    cwd,
    environment: { ...environment, FHIR_AUTH_PROXY_PUBLIC_URL: 'https://dev.example' },
    signal: t.signal,
  });
  assert.equal(await run.ended, 0, run.err());
  assert.match(run.out(), /"http:\/\/127\.0\.0\.1:\d+\/fhir\/Patient\//);
});

test('without "auto" there is no authority to trust', async (t) => {
  const { cwd, environment } = createPlace(t);
  const run = startCli(['certificate'], {
    cwd,
    environment: { ...environment, FHIR_AUTH_PROXY_LISTEN_TLS: '' },
    signal: t.signal,
  });
  assert.equal(await run.ended, 2);
  assert.match(run.err(), /"listen\.tls" is not "auto"/);
});
