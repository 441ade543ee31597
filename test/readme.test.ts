/**
 * The documents are run: every `sh` block against the built program and its sandbox, every `json`
 * block against the schema. A word behind `sh` says otherwise: `ci` blocks are run by .ci/run,
 * `server` blocks need a real OpenEMR.
 */
import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { configSchema } from '../src/config/schema.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter(isMarkdown)
    .map((name) => `docs/${name}`),
];

interface Block {
  document: string;
  line: number;
  language: string;
  kind: string;
  text: string;
}

function isMarkdown(name: string): boolean {
  return name.endsWith('.md');
}

function blocksOf(document: string): Block[] {
  const text = readFileSync(join(root, document), 'utf8');
  return [...text.matchAll(/^```(\w+)([^\n]*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    document,
    line: text.slice(0, match.index).split('\n').length,
    language: match[1]!,
    kind: match[2]!.trim(),
    text: match[3]!,
  }));
}

const blocks = documents.flatMap(blocksOf);

describe('shell blocks of the documents run', () => {
  let proxy: ChildProcess;
  let url = '';
  const folder = mkdtempSync(join(tmpdir(), 'fhir-auth-proxy-docs-'));

  before(async () => {
    proxy = spawn(process.execPath, [join(root, 'dist/cli.js'), '--sandbox', '--port', '0'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    for await (const chunk of proxy.stdout!) {
      url = /ready on http:\/\/(\S+)/.exec(String(chunk))?.[1] ?? '';
      if (url !== '') break;
    }
  });
  after(() => {
    proxy.kill();
    rmSync(folder, { recursive: true });
  });

  for (const { document, line, text } of blocks.filter(
    (b) => b.language === 'sh' && b.kind === '',
  )) {
    test(`${document}:${line}`, async () => {
      const script = text
        .replaceAll('localhost:8088', url)
        .replaceAll('npx fhir-auth-proxy', `"${process.execPath}" "${join(root, 'dist/cli.js')}"`);
      const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
        cwd: folder,
        timeout: 30_000,
      });
      assert.notEqual(stdout.trim(), '', 'it shows something');
    });
  }
});

test('shell blocks that are not run here are of a kind that says why', () => {
  const kinds = new Set(blocks.filter((b) => b.language === 'sh').map((b) => b.kind));
  for (const kind of kinds)
    assert.ok(['', 'ci', 'server'].includes(kind), `unknown kind "${kind}"`);
});

test('the commands that only CI runs are what .ci/run runs', () => {
  const ci = readFileSync(join(root, '.ci/run'), 'utf8');
  for (const { text } of blocks.filter((b) => b.kind === 'ci')) {
    for (const command of text.trim().split(' && ')) {
      assert.ok(ci.includes(command), `.ci/run does not run "${command}"`);
    }
  }
});

describe('JSON blocks with routes are valid configurations', () => {
  for (const { document, line, text } of blocks.filter(
    (b) => b.language === 'json' && b.text.includes('"routes"'),
  )) {
    test(`${document}:${line}`, () => {
      const { error } = configSchema.safeParse(JSON.parse(text));
      assert.equal(error, undefined);
    });
  }
});

test('links between the documents lead somewhere', () => {
  for (const document of [...documents, 'ARCHITECTURE.md', 'CHANGELOG.md']) {
    const text = readFileSync(join(root, document), 'utf8').replaceAll(/^```[\s\S]*?^```$/gm, '');
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)) {
      const path = resolve(root, dirname(document), target!);
      assert.ok(existsSync(path), `${document} links to "${target}", which is not there`);
    }
  }
});
