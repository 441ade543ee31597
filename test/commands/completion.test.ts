import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';

import { commands } from '../../src/commands/list.ts';
import { runProgram } from '../../src/commands/program.ts';
import { createTestRuntime } from '../support/runtime.ts';
import { NO_TERMINAL, openTerminal } from '../support/terminal.ts';

async function completion(...argv: string[]) {
  const runtime = createTestRuntime();
  const code = await runProgram(['completion', ...argv], runtime, { version: '0' });
  return { code, out: runtime.out(), err: runtime.err() };
}

/** What bash offers for these words; the last is the one that Tab is pressed at. */
async function completeInBash(...words: string[]): Promise<string[]> {
  const { out } = await completion('bash');
  const script = `${out}
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_fhir_auth_proxy
printf '%s\n' "\${COMPREPLY[@]}"`;
  return linesOf(execFileSync('bash', ['-c', script, '-', ...words]));
}

/** What fish offers for a command line, without descriptions, in its own order. */
function completeInFish(cwd: string, script: string, line: string): string[] {
  const argv = ['--no-config', '-c', 'source $argv[1]; complete -C $argv[2]', script, line];
  const offered = execFileSync('fish', argv, { cwd, env: { ...process.env, HOME: cwd } });
  return linesOf(offered).map((each) => each.split('\t')[0] ?? '');
}

function linesOf(output: Buffer): string[] {
  return output
    .toString()
    .split('\n')
    .filter((line) => line !== '');
}

/** A folder with `keys.json` in it, and the script of a shell under the name that its help names. */
async function installed(t: TestContext, shell: 'zsh' | 'fish') {
  const cwd = mkdtempSync(join(tmpdir(), 'completion-'));
  t.after(() => rmSync(cwd, { recursive: true }));
  const { out } = await completion(shell);
  const script = join(cwd, { zsh: '_fhir-auth-proxy', fish: 'fhir-auth-proxy.fish' }[shell]);
  writeFileSync(script, out);
  writeFileSync(join(cwd, 'keys.json'), '');
  return { cwd, script };
}

function skipWithout(t: TestContext, shell: string): boolean {
  const isMissing = spawnSync(shell, ['--version']).error !== undefined;
  if (isMissing) t.skip(`no ${shell} here`);
  return isMissing;
}

/** The words of `key` as it names them itself. */
async function keyWords(): Promise<readonly string[]> {
  return (await commands.find(({ name }) => name.startsWith('key'))?.load())?.words ?? [];
}

const KILL_LINE = '\u0015';
const NAMES = commands.map(({ name }) => name.split(' ')[0] ?? '');

describe('completion', () => {
  it('of bash offers commands, flags and the words of a command', async (t) => {
    if (skipWithout(t, 'bash')) return;
    const complete = (...words: string[]) => completeInBash('fhir-auth-proxy', ...words);
    assert.deepEqual(await complete(''), [...NAMES, 'help']);
    assert.deepEqual(await complete('tok'), ['token']);
    assert.deepEqual(await complete('help', 'tok'), ['token']);
    assert.deepEqual(await complete('token', '--h'), ['--header', '--help']);
    assert.deepEqual(await complete('key', ''), await keyWords());
    assert.deepEqual(await complete('init', '--client-'), ['--client-id', '--client-name']);
    assert.ok((await complete('--sand')).includes('--sandbox'));
    // Nothing of ours: the shell then completes names of files.
    assert.deepEqual(await complete('key', 'check', ''), []);
    assert.deepEqual(await complete('exec', '--', 'curl', '--h'), []);
  });

  it('of fish offers commands, flags, the words of a command, and files', async (t) => {
    if (skipWithout(t, 'fish')) return;
    const { cwd, script } = await installed(t, 'fish');
    const complete = (line: string) => completeInFish(cwd, script, `fhir-auth-proxy ${line}`);
    assert.deepEqual(complete('').sort(), [...NAMES, 'help'].sort());
    assert.deepEqual(complete('tok'), ['token']);
    assert.deepEqual(complete('help tok'), ['token']);
    assert.deepEqual(complete('token --h').sort(), ['--header', '--help']);
    assert.deepEqual(complete('key ').sort(), [...(await keyWords())].sort());
    assert.deepEqual(complete('init --client-').sort(), ['--client-id', '--client-name']);
    assert.deepEqual(complete('--sand'), ['--sandbox']);
    assert.deepEqual(complete('--quiet --sand'), ['--sandbox']);
    assert.deepEqual(complete('key check ke'), ['keys.json']);
    assert.deepEqual(complete('start --config ke'), ['keys.json']);
    assert.deepEqual(complete('exec -- token --h'), []);
    assert.deepEqual(complete('exec -- curl ke'), ['keys.json']);
  });

  it(
    'of zsh completes at the first Tab, loaded from $fpath or sourced',
    { timeout: 60_000 },
    async (t) => {
      if (skipWithout(t, 'zsh')) return;
      if (NO_TERMINAL !== undefined) return t.skip(NO_TERMINAL);
      const { cwd } = await installed(t, 'zsh');
      const ways = [
        'fpath=($PWD $fpath); autoload -U compinit; compinit -D -u',
        'autoload -U compinit; compinit -D -u; source ./_fhir-auth-proxy',
      ];
      for (const load of ways) {
        // What the shell runs after Tab is what was completed.
        const shell = openTerminal(t, 'zsh', ['-f', '-i'], { cwd, environment: { HOME: cwd } });
        shell.type(
          `${load}; fhir-auth-proxy() { print -r -- "ran""<$*>" }; PS1=; print load""ed\r`,
        );
        await shell.shows(/loaded/);
        for (const [typed, ran] of [
          ['tok\t', 'token'],
          ['help tok\t', 'help token'],
          ['token --hea\t', 'token --header'],
          ['--sand\t', '--sandbox'],
          ['key che\tke\t', 'key check keys.json'],
          ['exec -- curl ke\t', 'exec -- curl keys.json'],
          ['exec -- curl --hel\t', 'exec -- curl --hel'],
          ['completion zs\t', 'completion zsh'],
        ] as const) {
          shell.type(`fhir-auth-proxy ${typed}\r`);
          const [, words] = await shell.shows(/ran<(.*?)>/);
          assert.equal(words, ran, load);
        }
        shell.type('fhir-auth-proxy token --he\t');
        await shell.shows(/--header\s+--help/);
        shell.type(`${KILL_LINE}fhir-auth-proxy \t`);
        // Sorted by name: behind this one there is nothing more to wait for.
        await shell.shows(/token +-- print an access token/);
        for (const name of [...NAMES, 'help']) {
          assert.match(shell.text(), new RegExp(`^${name} +-- `, 'm'));
        }
        shell.type(`${KILL_LINE}exit 0\r`);
        assert.equal(await shell.ended, 0);
      }
    },
  );

  it('names the shells that it knows', async () => {
    for (const argv of [['tcsh'], []]) {
      const { code, err } = await completion(...argv);
      assert.equal(code, 2);
      assert.match(err, /Name one of bash, zsh, fish/);
    }
  });
});
