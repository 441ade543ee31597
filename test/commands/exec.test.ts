import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';

import { startCli } from '../support/cli.ts';

// A process of its own: the command passes on its own streams and signals.
const exec = (t: TestContext, argv: readonly string[], cwd = tmpdir()) =>
  startCli(['exec', ...argv], { cwd, environment: { MINE: 'kept' }, signal: t.signal });

const node = (script: string) => ['--', process.execPath, '-e', script];

describe('exec', () => {
  it('runs the command with a proxy that answers, and ends with its exit code', async (t) => {
    const script = `fetch(process.env.FHIR_BASE_URL + '/Patient?_count=1')
      .then((answer) => answer.json())
      .then(({ resourceType, total }) => {
        const { FHIR_BASE_URL, FHIR_AUTH_PROXY_URL, MINE } = process.env;
        console.log(JSON.stringify({ resourceType, total, FHIR_BASE_URL, FHIR_AUTH_PROXY_URL, MINE }));
        process.exit(7);
      })`;
    const run = exec(t, ['--sandbox', ...node(script)]);
    assert.equal(await run.ended, 7, run.err());
    const printed = JSON.parse(run.out()) as Record<string, unknown>;
    assert.deepEqual(
      [printed['resourceType'], printed['total'], printed['MINE']],
      ['Bundle', 1, 'kept'],
    );
    assert.match(String(printed['FHIR_AUTH_PROXY_URL']), /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(printed['FHIR_BASE_URL'], `${String(printed['FHIR_AUTH_PROXY_URL'])}/fhir`);
    assert.equal(run.err(), '');
  });

  it('passes signals on and waits for what the command makes of them', async (t) => {
    const script = `process.on('SIGTERM', () => { console.log('got SIGTERM'); setTimeout(() => process.exit(3), 50); });
      console.log('running'); setInterval(() => {}, 1000);`;
    const run = exec(t, ['--sandbox', ...node(script)]);
    await run.outMatches(/running/);
    run.child.kill('SIGTERM');
    assert.equal(await run.ended, 3, run.err());
    assert.match(run.out(), /got SIGTERM/);
  });

  it('ends with 128 and the number when a signal ended the command', async (t) => {
    const running = `console.log('running'); setInterval(() => {}, 1000);`;
    const cases: [NodeJS.Signals, number][] = [
      ['SIGINT', 130],
      ['SIGHUP', 129],
    ];
    for (const [signal, code] of cases) {
      const run = exec(t, ['--sandbox', ...node(running)]);
      await run.outMatches(/running/);
      run.child.kill(signal);
      assert.equal(await run.ended, code, run.err());
    }
    const killed = exec(t, ['--sandbox', ...node(`process.kill(process.pid, 'SIGKILL')`)]);
    assert.equal(await killed.ended, 137);
  });

  it('passes the words of the command as they are, on the port that the config does not name', async (t) => {
    const cwd = mkdtempSync(join(tmpdir(), 'exec-'));
    t.after(() => rmSync(cwd, { recursive: true }));
    const config = {
      listen: { host: '0.0.0.0', port: 1, allowedHosts: ['proxy.example'] },
      routes: [{ path: '/r4', upstream: 'sandbox' }],
    };
    writeFileSync(join(cwd, 'proxy.config.json'), JSON.stringify(config));
    const script = 'console.log(JSON.stringify(process.argv.slice(1)), process.env.FHIR_BASE_URL)';
    const words = ['--config', 'x', '-1', '', '$HOME', "it's"];
    const run = exec(t, ['--', process.execPath, '-e', script, '--', ...words], cwd);
    assert.equal(await run.ended, 0, run.err());
    const [shown = '', base = ''] = run.out().trim().split(' http');
    assert.deepEqual(JSON.parse(shown), words);
    assert.match(`http${base}`, /^http:\/\/127\.0\.0\.1:\d{2,}\/r4$/);
  });

  it('refuses a configuration with a Unix socket, whose protection a port does not have', async (t) => {
    const cwd = mkdtempSync(join(tmpdir(), 'exec-'));
    t.after(() => rmSync(cwd, { recursive: true }));
    const config = { listen: { socket: 's.sock' }, routes: [{ path: '/r4', upstream: 'sandbox' }] };
    writeFileSync(join(cwd, 'proxy.config.json'), JSON.stringify(config));
    const run = exec(t, ['--', 'true'], cwd);
    assert.equal(await run.ended, 2);
    assert.match(run.err(), /^error: "listen\.socket" is set[^]*let the command use the socket/);
  });

  it('says what it cannot run', async (t) => {
    const cases: [string[], number, RegExp][] = [
      [['--sandbox', '--', 'no-such-program'], 127, /"no-such-program" is not there/],
      [['--sandbox', '--', '/etc'], 126, /"\/etc" cannot be run \(EACCES\)/],
      [['--sandbox'], 2, /no command given[^]*exec -- npm test/],
      [['--config', 'nowhere.json', '--', 'true'], 2, /"\S*nowhere\.json" does not exist/],
    ];
    for (const [argv, code, message] of cases) {
      const run = exec(t, argv);
      assert.equal(await run.ended, code, run.err());
      assert.match(run.err(), message);
    }
  });
});
