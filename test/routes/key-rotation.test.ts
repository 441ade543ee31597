import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { runProgram } from '../../src/commands/program.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createLogger } from '../../src/observe/logger.ts';
import { createProxyServer } from '../../src/server.ts';
import {
  NEXT,
  OLD,
  runFollowing as run,
  startRotatable as start,
} from '../support/rotating-proxy.ts';
import { createTestRuntime } from '../support/runtime.ts';

interface Jwks {
  keys: { kid: string; d?: string }[];
}

describe('key rotate', () => {
  for (const version of ['7.0.3', '8.0.0'] as const) {
    it(`puts a new key in place where OpenEMR ${version} fetches the keys; no proxy is running`, async (t) => {
      const { cwd, rotate, client, text } = await start(t, { version });
      const { code, out, err } = await rotate('--json');
      assert.equal(code, 0, err);
      assert.deepEqual(
        [client().key, client().publish],
        ['private-2.jwk.json', ['private-2.jwk.json', 'private.jwk.json']],
      );
      assert.match(text(), /"id": "client", \/\/ registered by hand/);
      assert.equal(statSync(join(cwd, 'private-2.jwk.json')).mode & 0o777, 0o600);
      const told = JSON.parse(out) as { kid: string; previous: { kid: string } };
      assert.equal(told.previous.kid, OLD.kid);
      assert.match(err, new RegExp(`kid ${told.kid}`));
      assert.match(err, /key rotate --finish/);
    });
  }

  it('is not felt by the clients of a running proxy, and ends with the new key alone', async (t) => {
    const { cwd, rotate, client, url, jwksUri } = await start(t);
    await run(t, cwd);
    const statuses = new Map<number, number>();
    const stop = new AbortController();
    const load = (async () => {
      while (!stop.signal.aborted) {
        const { status } = await fetch(`${url}/fhir/Patient?_count=1`);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    })();
    const rotated = await rotate();
    assert.equal(rotated.code, 0, rotated.err);
    assert.match(rotated.err, /a proxy is running/);
    const kids = async () =>
      ((await (await fetch(jwksUri)).json()) as Jwks).keys.map(({ kid }) => kid);
    assert.equal((await kids()).length, 2);
    assert.equal((await kids())[1], OLD.kid);
    const finished = await rotate('--finish', '--delete');
    assert.equal(finished.code, 0, finished.err);
    assert.equal(client().publish, undefined);
    assert.ok(!existsSync(join(cwd, 'private.jwk.json')));
    while ((await kids()).length > 1) await new Promise(setImmediate);
    stop.abort();
    await load;
    assert.deepEqual([...statuses.keys()], [200]);
    assert.equal((await fetch(`${url}/fhir/Patient?_count=1`)).status, 200);
  });

  it('puts the configuration back, byte for byte, when the server has the keys and not their address', async (t) => {
    const { cwd, rotate, text } = await start(t, { inline: true });
    const before = text();
    const { code, err } = await rotate();
    assert.equal(code, 1);
    assert.equal(text(), before);
    assert.match(err, /the configuration is as it was; the old key stays in use/);
    assert.match(
      err,
      /OpenEMR cannot change them\. Register a new client: .* --key private-2\.jwk\.json/,
    );
    assert.ok(existsSync(join(cwd, 'private-2.jwk.json')));
    assert.match(err, /it stays in private-2\.jwk\.json, and nothing uses it/);
    const answer = err.indexOf('Register a new client');
    assert.ok(
      answer < err.indexOf('error: '),
      `what to do comes before what the server said: ${err}`,
    );
  });

  it('puts the configuration back when the server is gone, and goes on later with the same key', async (t) => {
    const { cwd, sandbox, rotate, text } = await start(t);
    const before = text();
    writeFileSync(join(cwd, 'next.jwk.json'), NEXT.text, { mode: 0o600 });
    await sandbox.close();
    const { code, err } = await rotate('next.jwk.json');
    assert.equal(code, 1);
    assert.equal(text(), before);
    assert.match(err, /Once the server can be reached: fhir-auth-proxy key rotate next\.jwk\.json/);
  });

  it('takes a key that is there, and gives the next one the next number', async (t) => {
    const { cwd, rotate, client } = await start(t);
    writeFileSync(join(cwd, 'private-2.jwk.json'), NEXT.text, { mode: 0o600 });
    assert.equal((await rotate('private-2.jwk.json')).code, 0);
    assert.equal((await rotate('--finish')).code, 0);
    assert.ok(existsSync(join(cwd, 'private.jwk.json')), 'kept, for nobody asked to delete it');
    assert.equal((await rotate()).code, 0);
    assert.equal(client().key, 'private-3.jwk.json');
    assert.match((await rotate()).err, /a rotation of the route "\/fhir" is not finished/);
  });

  it('stops at Ctrl-C with the configuration as it was', async (t) => {
    const { cwd, configFile, text } = await start(t);
    const before = text();
    const runtime = createTestRuntime({ cwd });
    const ended = runProgram(['key', 'rotate'], runtime, { version: '0' });
    await runtime.errMatches(/keys are published at/);
    runtime.stop('SIGINT');
    assert.equal(await ended, 130);
    assert.equal(readFileSync(configFile, 'utf8'), before);
    assert.match(runtime.err(), /stopped: the configuration is as it was/);
  });

  const refused: [title: string, key: string, message: RegExp][] = [
    [
      'a key that stands in the config file itself',
      JSON.stringify(OLD.text),
      /is not the key file in use/,
    ],
    [
      'a file under one name for every key',
      '"private.jwk.json", "keyId": "one"',
      /"routes\[0\]\.client\.keyId" gives every key the same name/,
    ],
  ];
  for (const [title, key, message] of refused) {
    it(`does not rotate ${title}`, async (t) => {
      const { configFile, rotate, text } = await start(t);
      writeFileSync(configFile, text().replace('"private.jwk.json"', key));
      const { code, err } = await rotate();
      assert.equal(code, 2);
      assert.match(err, message);
    });
  }
});

describe('a changed key', () => {
  it('is published before its first token request, which the server checks it by', async (t) => {
    const { cwd, configFile, text, url } = await start(t);
    writeFileSync(join(cwd, 'next.jwk.json'), NEXT.text, { mode: 0o600 });
    const load = () => loadConfig({ cwd });
    const ends: string[] = [];
    const logger = createLogger({ format: 'json', level: 'silent', stream: 2 });
    const proxy = await createProxyServer((await load()).config, {
      logger,
      onExchange: ({ tokenOrigin, status }) =>
        tokenOrigin !== 'none' && ends.push(`${status} ${tokenOrigin}`),
    });
    t.after(() => proxy.destroy());
    await proxy.listen();
    await fetch(`${url}/fhir/Patient?_count=1`);
    writeFileSync(configFile, text().replace('private.jwk.json', 'next.jwk.json'));
    await proxy.reload((await load()).config);
    await fetch(`${url}/fhir/Patient?_count=1`);
    // The second is not "fresh": the reload has got its token.
    assert.deepEqual(ends, ['200 fresh', '200 cached']);
  });

  it('must be one of those that are published', async (t) => {
    const { cwd, configFile, text } = await start(t);
    writeFileSync(join(cwd, 'next.jwk.json'), NEXT.text, { mode: 0o600 });
    writeFileSync(
      configFile,
      text().replace('"private.jwk.json",', '"private.jwk.json", "publish": ["next.jwk.json"],'),
    );
    const { config } = await loadConfig({ cwd });
    const logger = createLogger({ format: 'json', level: 'silent', stream: 2 });
    await assert.rejects(createProxyServer(config, { logger }), /does not hold "client.key"/);
  });
});
