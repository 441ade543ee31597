import assert from 'node:assert/strict';
import { type TestContext, describe, it } from 'node:test';

import { runProgram } from '../../src/commands/program.ts';
import { type TestRuntimeOptions, createTestRuntime } from '../support/runtime.ts';

/** Starts the proxy inside this process; stopped when the test ends. */
function start(t: TestContext, argv: string[], options: TestRuntimeOptions = {}) {
  const runtime = createTestRuntime({ cwd: '/', ...options });
  const ended = runProgram(['start', '--port', '0', ...argv], runtime, { version: '0' });
  t.after(async () => {
    runtime.stop('SIGTERM');
    await ended;
  });
  return { runtime, ended };
}

const ROUTE = {
  FHIR_AUTH_PROXY_UPSTREAM: 'https://openemr.example/apis/default/fhir',
  FHIR_AUTH_PROXY_CLIENT_ID: 'test',
  FHIR_AUTH_PROXY_SCOPES: 'system/Patient.read',
};

describe('start', () => {
  it('writes ready and try lines to standard output and nothing else', async (t) => {
    const { runtime, ended } = start(t, ['--sandbox']);
    const [, url] = await runtime.outMatches(/^ready on (\S+)\ntry: curl \S+\/fhir\/Patient\n$/);
    assert.equal((await fetch(`${url}/fhir/metadata`)).status, 200);
    runtime.stop('SIGINT');
    assert.equal(await ended, 130);
    assert.match(runtime.out(), /^ready on \S+\ntry: \S+ \S+\n$/);
    assert.match(runtime.err(), /"msg":"stopping/);
  });

  it('writes the ready line alone with --quiet, and only warnings to the log', async (t) => {
    const { runtime, ended } = start(t, ['--sandbox', '--quiet'], {
      environment: { FHIR_AUTH_PROXY_PROT: '1' },
    });
    const [, url] = await runtime.outMatches(/^ready on (\S+)\n/);
    assert.equal((await fetch(`${url}/fhir/metadata`)).status, 200);
    runtime.stop('SIGTERM');
    assert.equal(await ended, 143);
    assert.match(runtime.out(), /^ready on \S+\n$/);
    const log = runtime.err().trim().split('\n');
    assert.equal(log.length, 1, runtime.err());
    assert.match(
      log[0] ?? '',
      /FHIR_AUTH_PROXY_PROT is not known.*did you mean FHIR_AUTH_PROXY_PORT/,
    );
  });

  it('refuses --quiet together with --log-level', async (t) => {
    const { runtime, ended } = start(t, ['--sandbox', '--quiet', '--log-level', 'info']);
    assert.equal(await ended, 2);
    assert.match(runtime.err(), /"--quiet" and "--log-level" do not go together/);
  });

  it('logs pretty lines on a terminal and JSON elsewhere, or as --log-format says', async (t) => {
    const cases: [boolean, string[], boolean][] = [
      [true, [], false],
      [false, [], true],
      [true, ['--log-format', 'json'], true],
      [false, ['--log-format', 'pretty'], false],
    ];
    for (const [isTTY, argv, isJson] of cases) {
      const { runtime, ended } = start(t, ['--sandbox', ...argv], { isTTY });
      await runtime.outMatches(/^ready/);
      runtime.stop('SIGTERM');
      await ended;
      assert.equal(runtime.err().startsWith('{'), isJson, runtime.err());
    }
  });

  it('says loudly that TLS is insecure', async (t) => {
    const { rs384Key } = await import('../support/keys.ts');
    const { runtime } = start(t, [], {
      environment: {
        ...ROUTE,
        FHIR_AUTH_PROXY_KEY: rs384Key().text,
        FHIR_AUTH_PROXY_INSECURE: 'true',
      },
    });
    await runtime.outMatches(/^ready/);
    runtime.exit();
    assert.match(runtime.err(), /"level":"warn".*any certificate is accepted.*openemr\.example/);
  });

  it('names a command that can be called when it listens on every address', async (t) => {
    const { runtime } = start(t, ['--sandbox', '--host', '0.0.0.0'], {
      environment: { FHIR_AUTH_PROXY_ALLOWED_HOSTS: 'proxy.example' },
    });
    const [, url] = await runtime.outMatches(
      /^ready on http:\/\/0\.0\.0\.0:\d+\ntry: curl (\S+)\n/,
    );
    assert.ok(url);
    assert.equal((await fetch(url)).status, 200);
  });

  it('reports what is wrong with a key file and ends with 2', async (t) => {
    const { runtime, ended } = start(t, [], {
      environment: { ...ROUTE, FHIR_AUTH_PROXY_KEY_FILE: '/nowhere/private.pem' },
    });
    assert.equal(await ended, 2);
    assert.equal(runtime.out(), '');
    assert.match(runtime.err(), /\/nowhere\/private\.pem/);
  });
});
