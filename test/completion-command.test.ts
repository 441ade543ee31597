import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { type TestContext, describe, it } from 'node:test';

import { commands } from '../src/commands/list.ts';
import { runProgram } from '../src/commands/program.ts';
import { createTestRuntime } from './support/runtime.ts';

async function completion(...argv: string[]) {
  const runtime = createTestRuntime();
  const code = await runProgram(['completion', ...argv], runtime, { version: '0' });
  return { code, out: runtime.out(), err: runtime.err() };
}

/** What bash offers for these words; the last is the one that Tab is pressed at. */
async function complete(...words: string[]): Promise<string[]> {
  const { out } = await completion('bash');
  const script = `${out}
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_fhir_auth_proxy
printf '%s\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script, '-', ...words])
    .toString()
    .split('\n')
    .filter((line) => line !== '');
}

function skipWithout(t: TestContext, shell: string): boolean {
  const isMissing = spawnSync(shell, ['--version']).error !== undefined;
  if (isMissing) t.skip(`no ${shell} here`);
  return isMissing;
}

describe('completion', () => {
  it('of bash offers commands, flags and the words of a command', async (t) => {
    if (skipWithout(t, 'bash')) return;
    const names = commands.map(({ name }) => name.split(' ')[0] ?? '');
    assert.deepEqual(await complete('fhir-auth-proxy', ''), [...names, 'help']);
    assert.deepEqual(await complete('fhir-auth-proxy', 'tok'), ['token']);
    assert.deepEqual(await complete('fhir-auth-proxy', 'token', '--h'), ['--header', '--help']);
    assert.deepEqual(await complete('fhir-auth-proxy', 'key', ''), ['generate', 'public', 'check']);
    assert.deepEqual(await complete('fhir-auth-proxy', 'init', '--client-'), [
      '--client-id',
      '--client-name',
    ]);
    assert.ok((await complete('fhir-auth-proxy', '--sand')).includes('--sandbox'));
    // Nothing of ours: the shell then completes names of files.
    assert.deepEqual(await complete('fhir-auth-proxy', 'key', 'check', ''), []);
  });

  it('of zsh and fish is a script that they read', async (t) => {
    for (const shell of ['zsh', 'fish']) {
      const { code, out } = await completion(shell);
      assert.equal(code, 0);
      assert.match(out, /token[^]*print an access token/);
      if (spawnSync(shell, ['--version']).error !== undefined) {
        t.diagnostic(`no ${shell} here: only its text was looked at`);
        continue;
      }
      execFileSync(shell, ['-n'], { input: out });
    }
  });

  it('names the shells that it knows', async () => {
    for (const argv of [['tcsh'], []]) {
      const { code, err } = await completion(...argv);
      assert.equal(code, 2);
      assert.match(err, /Name one of bash, zsh, fish/);
    }
  });
});
