import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';

import { type CliRun, startCli } from '../support/cli.ts';
import { rs384Key } from '../support/keys.ts';

const READY = /^ready on (http:\/\/127\.0\.0\.1:\d+)\n/;

function createFolder(t: TestContext, files: Record<string, string> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'cli-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

function run(t: TestContext, args: string[], environment: Record<string, string> = {}, files = {}) {
  return startCli(args, { cwd: createFolder(t, files), environment, signal: t.signal });
}

async function ready(cli: CliRun): Promise<string> {
  const [, url] = await cli.outMatches(READY);
  assert.ok(url);
  return url;
}

/** An upstream that announces each request and leaves the answer to the test. */
async function startUpstream(t: TestContext) {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/fhir`,
    async nextRequest(): Promise<ServerResponse> {
      const [, response] = await once(server, 'request');
      return response as ServerResponse;
    },
  };
}

function environmentFor(upstream: string): Record<string, string> {
  return {
    FHIR_AUTH_PROXY_UPSTREAM: upstream,
    FHIR_AUTH_PROXY_CLIENT_ID: 'test',
    FHIR_AUTH_PROXY_KEY: rs384Key().text,
    FHIR_AUTH_PROXY_SCOPES: 'system/Patient.read',
    FHIR_AUTH_PROXY_PORT: '0',
    // Answers that are reused are passed on whole; here they end when the test says so.
    FHIR_AUTH_PROXY_METADATA_CACHE_MS: '0',
  };
}

describe('the built program', () => {
  it('prints its version', async (t) => {
    const cli = run(t, ['--version']);
    assert.equal(await cli.ended, 0);
    const { version } = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    );
    assert.equal(cli.out(), `${version}\n`);
    assert.equal(cli.err(), '');
  });

  it('asks of no part that is loaded late for a name that it does not have', async () => {
    const dist = new URL('../../dist/', import.meta.url);
    const parts = readdirSync(dist).filter((name) => /^cli.*\.js$/.test(name));
    let asked = 0;
    for (const part of parts) {
      const text = readFileSync(new URL(part, dist), 'utf8');
      for (const [, names = '', from = ''] of text.matchAll(
        /\{([\w$,:]+)\}=await import\("(\.\/[^"]+)"\)/g,
      )) {
        const loaded = (await import(new URL(from, dist).href)) as object;
        for (const name of names.split(',').map((each) => each.split(':')[0] ?? '')) {
          asked += 1;
          assert.ok(name in loaded, `${part} asks ${from} for "${name}"`);
        }
      }
    }
    assert.ok(asked >= 5, String(asked));
  });

  it('prints its help on standard output', async (t) => {
    const cli = run(t, ['--help']);
    assert.equal(await cli.ended, 0);
    assert.match(cli.out(), /# Try it without a server.*\n {2}fhir-auth-proxy --sandbox/);
  });

  it('ends with 2 on bad usage', async (t) => {
    const cli = run(t, ['--sandbx']);
    assert.equal(await cli.ended, 2);
    assert.equal(cli.out(), '');
    assert.equal(cli.err(), 'error: unknown flag "--sandbx"\n  Did you mean "--sandbox"?\n');
  });

  it('ends with 2 without a configuration and offers a way on', async (t) => {
    const cli = run(t, []);
    assert.equal(await cli.ended, 2);
    assert.equal(cli.out(), '');
    assert.match(cli.err(), /^error: proxy\.config\.json: there is no such file .*--sandbox.*\n$/);
  });

  it('ends with 2 on a broken configuration and lists every problem', async (t) => {
    const config = '{\n "listen": { "port": true },\n "routes": [{ "path": "x" }]\n}';
    const cli = run(t, [], {}, { 'proxy.config.json': config });
    assert.equal(await cli.ended, 2);
    assert.match(cli.err(), /^error: .*proxy\.config\.json: 3 problems in the configuration\n/);
    assert.match(
      cli.err(),
      /\n {2}listen\.port \(line 2, column 22\): expected a number, got true/,
    );
    assert.match(cli.err(), /\n {2}routes\[0\]\.path \(line 3, column 23\): expected a path/);
    assert.match(cli.err(), /\n {2}routes\[0\]\.upstream \(line 3, column 13\): is missing/);
  });

  it('says in one line that a port is in use and how to choose another, and ends with 2', async (t) => {
    const first = run(t, ['--sandbox', '--port', '0']);
    const { port } = new URL(await ready(first));
    const second = run(t, ['--sandbox', '--port', port]);
    assert.equal(await second.ended, 2);
    assert.equal(second.out(), '');
    const lines = second.err().trim().split('\n');
    assert.equal(lines.length, 1, second.err());
    assert.match(lines[0] ?? '', new RegExp(`port ${port} .* in use .*--port`));
  });

  it('survives a reader that leaves', async (t) => {
    const cli = run(t, ['--sandbox', '--port', '0', '--log-level', 'debug']);
    cli.child.stdout?.destroy();
    const [, url] = await cli.errMatches(/"url":"(http:[^"]+)"/);
    assert.equal((await fetch(`${url}/_proxy/livez`)).status, 200);
    cli.child.kill('SIGTERM');
    assert.equal(await cli.ended, 143);
  });
});

describe('start', () => {
  it('prints the ready line with the bound URL and a command that works', async (t) => {
    const cli = run(t, ['start', '--sandbox', '--port', '0']);
    const url = await ready(cli);
    const [, command] = await cli.outMatches(/\ntry: curl (\S+)\n/);
    assert.equal(command, `${url}/fhir/Patient`);
    const response = await fetch(command);
    assert.equal(response.status, 200);
    const bundle = (await response.json()) as { resourceType: string; entry: unknown[] };
    assert.equal(bundle.resourceType, 'Bundle');
    assert.ok(bundle.entry.length > 0);
    assert.equal(cli.out(), `ready on ${url}\ntry: curl ${url}/fhir/Patient\n`);
  });

  it('reads proxy.config.json of the working directory', async (t) => {
    const config = `{ // the sandbox
      "listen": { "port": 0 }, "routes": [{ "path": "/api", "upstream": "sandbox" }] }`;
    const cli = run(t, [], {}, { 'proxy.config.json': config });
    assert.equal((await fetch(`${await ready(cli)}/api/metadata`)).status, 200);
  });

  it('is configured by the environment alone', async (t) => {
    const upstream = await startUpstream(t);
    const cli = run(t, [], environmentFor(upstream.url));
    const answer = fetch(`${await ready(cli)}/fhir/metadata`);
    (await upstream.nextRequest()).end('{}');
    assert.equal(await (await answer).text(), '{}');
  });

  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`finishes what is in flight on ${signal}, then ends with ${exitCode}`, async (t) => {
      const upstream = await startUpstream(t);
      const cli = run(t, [], environmentFor(upstream.url));
      const url = await ready(cli);
      const request = upstream.nextRequest();
      const answer = fetch(`${url}/fhir/metadata`);
      const response = await request;
      response.write('{"half":');
      const head = await answer;
      cli.child.kill(signal);
      await waitUntilRefused(url);
      response.end('"whole"}');
      assert.equal(await head.text(), '{"half":"whole"}');
      assert.equal(await cli.ended, exitCode);
      assert.match(cli.err(), new RegExp(`"signal":"${signal}"`));
    });
  }

  it('ends at once on a second signal', async (t) => {
    const upstream = await startUpstream(t);
    const cli = run(t, [], environmentFor(upstream.url));
    const url = await ready(cli);
    const request = upstream.nextRequest();
    const answer = fetch(`${url}/fhir/metadata`);
    await request;
    cli.child.kill('SIGTERM');
    await waitUntilRefused(url);
    cli.child.kill('SIGINT');
    await assert.rejects(answer);
    assert.equal(await cli.ended, 130);
  });

  it('cuts what is in flight when the drain time is over', async (t) => {
    const upstream = await startUpstream(t);
    const cli = run(t, [], { ...environmentFor(upstream.url), FHIR_AUTH_PROXY_DRAIN_MS: '50' });
    const request = upstream.nextRequest();
    const answer = fetch(`${await ready(cli)}/fhir/metadata`);
    await request;
    cli.child.kill('SIGTERM');
    await assert.rejects(answer);
    assert.equal(await cli.ended, 143);
  });
});

/** Resolves as soon as nothing listens at the URL any more. */
async function waitUntilRefused(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  for (;;) {
    const socket = connect(Number(port), hostname);
    const isRefused = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(false));
      socket.once('error', () => resolve(true));
    });
    socket.destroy();
    if (isRefused) return;
  }
}
