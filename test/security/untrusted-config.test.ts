/**
 * A config file that came from elsewhere, in a cloned repository or written by another user, must not be
 * enough to run a program (the class of CVE-2022-24765 and CVE-2021-43891).
 */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';

import { loadConfig } from '../../src/config/load.ts';
import { startCli } from '../support/cli.ts';
import { rs384Key } from '../support/keys.ts';

/** A folder with a config file whose command leaves a mark. */
function makeFolder(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'untrusted-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'key.json'), rs384Key().text, { mode: 0o600 });
  const mark = join(folder, 'ran');
  const write = (members: object = {}, command = `touch ${mark}; sleep 60`) =>
    writeFileSync(
      join(folder, 'proxy.config.json'),
      JSON.stringify({
        listen: { port: 0 },
        ...members,
        routes: [
          {
            path: '/fhir',
            upstream: 'http://127.0.0.1:9/apis/default/fhir',
            client: { id: 'c', key: 'key.json', scopes: ['system/Patient.read'] },
            errorLogCommand: ['sh', '-c', command],
          },
        ],
      }),
    );
  write();
  /** Starts, waits until the proxy is ready, and says whether the command ran. */
  const start = async (args: string[] = [], environment: Record<string, string> = {}) => {
    rmSync(mark, { force: true });
    const controller = new AbortController();
    const run = startCli(['start', '--log-format', 'json', ...args], {
      cwd: folder,
      environment: { HOME: folder, ...environment },
      signal: controller.signal,
    });
    try {
      await run.outMatches(/ready on /);
      // One of the two is always said.
      await run.errMatches(/errorLogCommand|error log/);
      for (let i = 0; i < 40 && !existsSync(mark); i++) {
        if (/does not run/.test(run.err())) break;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return { ran: existsSync(mark), log: run.err() };
    } finally {
      controller.abort();
      await run.ended;
    }
  };
  return { folder, write, start };
}

describe('a config file that names a program', () => {
  it('does not run it before it was confirmed, and says how to', async (t) => {
    const { start } = makeFolder(t);
    const { ran, log } = await start();
    assert.equal(ran, false);
    assert.match(log, /does not run: it was not confirmed that .*start once with --trust/);
  });

  it('runs it once confirmed, also later, until the command changes', async (t) => {
    const { folder, write, start } = makeFolder(t);
    assert.equal((await start(['--trust', '--log-level', 'debug'])).ran, true);
    const store = statSync(join(folder, '.local/state/fhir-auth-proxy/trusted.json'));
    assert.equal(store.mode & 0o777, 0o600);
    assert.equal((await start(['--log-level', 'debug'])).ran, true);
    write({ drainMs: 5 });
    assert.equal((await start(['--log-level', 'debug'])).ran, true, 'another setting has changed');
    write({}, `touch ${join(folder, 'ran')} # changed`);
    assert.equal((await start()).ran, false);
  });

  it('runs it where the environment says so, as in a container', async (t) => {
    const { start } = makeFolder(t);
    const environment = { FHIR_AUTH_PROXY_TRUST: 'true' };
    assert.equal((await start(['--log-level', 'debug'], environment)).ran, true);
    assert.equal((await start([], { FHIR_AUTH_PROXY_TRUST: 'false' })).ran, false);
  });
});

describe('a config file that others can write', () => {
  const load = (folder: string) => loadConfig({ cwd: folder, file: 'proxy.config.json' });

  for (const [mode, who] of [
    [0o666, /everyone can write to ".*proxy\.config\.json" \(mode 0666\)/],
    [0o646, /everyone can write/],
  ] as const) {
    it(`is refused: mode 0${mode.toString(8)}`, async (t) => {
      const { folder } = makeFolder(t);
      chmodSync(join(folder, 'proxy.config.json'), mode);
      await assert.rejects(load(folder), who);
      chmodSync(join(folder, 'proxy.config.json'), 0o644);
      assert.ok(await load(folder));
    });
  }

  it('is refused in a folder that everyone can write to, unless it is sticky', async (t) => {
    const { folder } = makeFolder(t);
    chmodSync(folder, 0o777);
    await assert.rejects(
      load(folder),
      /everyone can write to ".*untrusted-\w+" \(mode 0777\).*Run: chmod o-w/,
    );
    chmodSync(folder, 0o1777);
    assert.ok(await load(folder));
  });

  it('is taken with mode 0664 and the private group of its user', async (t) => {
    const { folder } = makeFolder(t);
    mkdirSync(join(folder, 'x'));
    chmodSync(join(folder, 'proxy.config.json'), 0o664);
    chmodSync(folder, 0o775);
    assert.ok(await load(folder));
  });
});
