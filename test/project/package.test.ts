/** What `npm pack` makes: its files, its metadata, its types as consumers resolve them, the example. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const metadata = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
  bin: Record<string, string>;
};

interface Packed {
  filename: string;
  size: number;
  unpackedSize: number;
  files: { path: string }[];
}

describe('the package', () => {
  // Inside the repository, so that its dependencies are found.
  const cache = join(root, 'node_modules/.cache');
  let folder = '';
  let packed: Packed;
  let tarball = '';

  before(async () => {
    mkdirSync(cache, { recursive: true });
    folder = mkdtempSync(join(cache, 'package-'));
    // Without scripts: what was built is being used by other tests.
    const { stdout } = await run(
      'npm',
      ['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
      { cwd: root },
    );
    packed = (JSON.parse(stdout) as Packed[])[0]!;
    tarball = join(folder, packed.filename);
  });
  after(() => rmSync(folder, { recursive: true }));

  it('holds the program, its types and its documents, and nothing else', () => {
    const paths = packed.files.map(({ path }) => path);
    const beside = paths.filter((path) => !path.startsWith('dist/')).toSorted();
    assert.deepEqual(beside, [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'package.json',
      'proxy.config.schema.json',
    ]);
    const bundle = paths.filter((path) => /^dist\/cli-[\w-]+\.js$/.test(path));
    assert.ok(bundle.length > 10, 'the program is in pieces, one a command');
    assert.ok(paths.includes('dist/cli-licenses.txt'));
    const built = paths.filter((path) => path.startsWith('dist/') && !path.startsWith('dist/cli'));
    for (const path of built) {
      assert.match(path, /(?:\.js|\.d\.ts|\/page\/[\w-]+\.(?:html|css|svg))$/);
      const source = path
        .replace(/^dist\/page/, 'dist/observe/inspector/page')
        .replace(/^dist/, 'src')
        .replace(/(?:\.d\.ts|\.js)$/, '');
      const isBuilt = ['.ts', '.js', ''].some((end) => existsSync(join(root, source + end)));
      assert.ok(isBuilt, `${path} has no source: npm run build`);
    }
    assert.ok(paths.includes(metadata.bin['fhir-auth-proxy']!));
    assert.ok(paths.includes('dist/index.d.ts'));
    assert.ok(packed.unpackedSize < 5_000_000, String(packed.unpackedSize));
  });

  it('is what publint recommends', async () => {
    const bytes = readFileSync(tarball);
    const { messages, pkg } = await publint({
      pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) },
      strict: true,
    });
    assert.deepEqual(
      messages.map((message) => formatMessage(message, pkg, { color: false })),
      [],
    );
  });

  it('has types that resolve under NodeNext and for bundlers', async () => {
    const home = join(folder, 'node_modules/fhir-auth-proxy');
    mkdirSync(home, { recursive: true });
    await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', home]);
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    copyFileSync(join(root, 'test/fixtures/consumer.ts'), join(folder, 'consumer.ts'));
    for (const resolution of [
      ['--module', 'nodenext'],
      ['--module', 'esnext', '--moduleResolution', 'bundler'],
    ]) {
      const options = ['--noEmit', '--strict', '--target', 'es2022', '--types', 'node'];
      const lib = ['--lib', 'es2023,esnext.disposable'];
      const tsc = join(root, 'node_modules/typescript/bin/tsc');
      const compiled = run(
        process.execPath,
        [tsc, ...options, ...lib, ...resolution, '--ignoreConfig', 'consumer.ts'],
        { cwd: folder },
      );
      await assert.doesNotReject(
        compiled.catch((error: { stdout: string }) => {
          throw new Error(error.stdout);
        }),
      );
    }
  });

  it('has a bill of materials without what only development needs', async () => {
    const { stdout } = await run('npm', ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev'], {
      cwd: root,
      maxBuffer: 16_777_216,
    });
    const { components } = JSON.parse(stdout) as { components: { name: string }[] };
    const names = components.map(({ name }) => name);
    assert.ok(names.includes('undici'));
    assert.ok(!names.includes('typescript'));
  });

  it('has release notes for its version', () => {
    const notes = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
    assert.match(
      notes,
      new RegExp(`^## ${metadata.version.replaceAll('.', String.raw`\.`)}$`, 'm'),
    );
  });
});

it('the example of the library runs', async () => {
  const { stdout, stderr } = await run(process.execPath, ['examples/library.js'], { cwd: root });
  assert.equal(stderr, '');
  assert.match(stdout, /^200 search Patient in \d+ ms\n(?:\S+, .+\n){3}$/);
});
