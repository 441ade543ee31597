/**
 * The documents are run: every `sh`, `js` and `ts` block against the built program and its sandbox,
 * every `json` block against the schema. A word behind `sh` says otherwise: `ci` blocks are run by
 * .ci/run, `server` blocks need a real OpenEMR, Docker or Kubernetes.
 */
import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { configSchema } from '../../src/config/schema.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
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

describe('blocks of the documents run', () => {
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

  const run = promisify(execFile);
  const here = (text: string) => text.replaceAll('localhost:8088', url);
  const isRun = ({ language, kind }: Block) => ['sh', 'js', 'ts'].includes(language) && kind === '';

  for (const { document, line, language, text } of blocks.filter(isRun)) {
    test(`${document}:${line}`, async () => {
      const { stdout } = await (language === 'sh' ? runShell(text) : runScript(language, text));
      assert.notEqual(stdout.trim(), '', 'it shows something');
    });
  }

  function runShell(text: string) {
    const program = `"${process.execPath}" "${join(root, 'dist/cli.js')}"`;
    const script = here(text).replaceAll('npx fhir-auth-proxy', program);
    return run('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, timeout: 30_000 });
  }

  function runScript(language: string, text: string) {
    const file = join(folder, `block.m${language}`);
    const library = pathToFileURL(join(root, 'dist/index.js')).href;
    writeFileSync(file, here(text).replaceAll("'fhir-auth-proxy'", `'${library}'`));
    return run(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
      cwd: folder,
      timeout: 30_000,
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
  const onlyCi = blocks.filter(({ kind }) => kind === 'ci');
  assert.ok(onlyCi.length > 0);
  for (const { text } of onlyCi) {
    for (const command of text.trim().split(' && ')) {
      assert.ok(ci.includes(command), `.ci/run does not run "${command}"`);
    }
  }
});

describe('JSON blocks are valid configurations', () => {
  for (const { document, line, text } of blocks.filter(({ language }) => language === 'json')) {
    test(`${document}:${line}`, () => {
      const { error } = configSchema.safeParse(JSON.parse(text));
      assert.equal(error, undefined);
    });
  }
});

test('links between the documents lead somewhere, anchors included', () => {
  for (const document of [...documents, 'ARCHITECTURE.md', 'CHANGELOG.md']) {
    const text = withoutBlocks(readFileSync(join(root, document), 'utf8'));
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)\s]+)[^)]*\)/g)) {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? join(root, document) : resolve(root, dirname(document), path);
      assert.ok(existsSync(file), `${document} links to "${target}", which is not there`);
      if (anchor === undefined) continue;
      const anchors = anchorsOf(readFileSync(file, 'utf8'));
      assert.ok(anchors.includes(anchor), `${document} links to "${target}": no such heading`);
    }
  }
});

function withoutBlocks(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, '');
}

/** The anchors that GitHub gives to the headings of a document. */
function anchorsOf(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
