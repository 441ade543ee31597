import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { type FileWatchOptions, watchFiles } from '../../src/config/watch.ts';

/** Long enough never to look by itself within a test. */
const NEVER_MS = 3_600_000;

interface Watched {
  folder: string;
  changes: () => number;
  /** Resolves with the next change. */
  next: () => Promise<void>;
  follow: (files: readonly string[]) => void;
}

function createFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'config-watch-'));
  // The watch does not keep a program alive, so something else has to.
  const alive = setInterval(() => {}, NEVER_MS);
  t.after(() => {
    clearInterval(alive);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Watches files of a folder, once it has seen how they are. */
async function watching(
  t: TestContext,
  folder: string,
  names: readonly string[],
  options: FileWatchOptions = {},
): Promise<Watched> {
  let changes = 0;
  let tell = () => {};
  const inFolder = (files: readonly string[]) => files.map((name) => join(folder, name));
  const watch = watchFiles(
    inFolder(names),
    () => {
      changes += 1;
      tell();
    },
    { quietMs: 20, pollMs: NEVER_MS, ...options },
  );
  t.after(() => watch.close());
  await delay(100);
  return {
    folder,
    changes: () => changes,
    next: () => new Promise((resolve) => (tell = resolve)),
    follow: (files) => watch.follow(inFolder(files)),
  };
}

test('a file that is written is told once, however many writes it takes', async (t) => {
  const folder = createFolder(t);
  writeFileSync(join(folder, 'a'), '1');
  const { next, changes } = await watching(t, folder, ['a'], { quietMs: 100 });
  const changed = next();
  for (let i = 0; i < 5; i += 1) appendFileSync(join(folder, 'a'), 'x');
  await changed;
  await delay(250);
  assert.equal(changes(), 1);
});

test('a file that is put in the place of the old one is told, again and again', async (t) => {
  const folder = createFolder(t);
  writeFileSync(join(folder, 'a'), '1');
  const { next } = await watching(t, folder, ['a']);
  for (const text of ['2', '3', '4']) {
    const changed = next();
    writeFileSync(join(folder, '.a.tmp'), text);
    renameSync(join(folder, '.a.tmp'), join(folder, 'a'));
    await changed;
  }
});

test('a volume of Kubernetes is swapped by one link for all of its files', async (t) => {
  const folder = createFolder(t);
  const write = (version: string) => {
    mkdirSync(join(folder, version));
    for (const name of ['a', 'b']) writeFileSync(join(folder, version, name), version);
  };
  write('..1');
  symlinkSync('..1', join(folder, '..data'));
  for (const name of ['a', 'b']) symlinkSync(`..data/${name}`, join(folder, name));
  const { next, changes } = await watching(t, folder, ['a', 'b']);
  for (const version of [2, 3]) {
    const changed = next();
    write(`..${version}`);
    symlinkSync(`..${version}`, join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    await changed;
    rmSync(join(folder, `..${version - 1}`), { recursive: true });
  }
  await delay(100);
  assert.equal(changes(), 2);
});

test('a link into another folder is followed there', async (t) => {
  const [folder, elsewhere] = [createFolder(t), createFolder(t)];
  writeFileSync(join(elsewhere, 'key'), '1');
  symlinkSync(join(elsewhere, 'key'), join(folder, 'key'));
  const { next } = await watching(t, folder, ['key']);
  const changed = next();
  writeFileSync(join(elsewhere, 'key'), '2');
  await changed;
});

test('a file that goes, or comes into being, is told', async (t) => {
  const folder = createFolder(t);
  const { next } = await watching(t, folder, ['a']);
  let changed = next();
  writeFileSync(join(folder, 'a'), '1');
  await changed;
  changed = next();
  rmSync(join(folder, 'a'));
  await changed;
});

test('other files of the folder do not matter', async (t) => {
  const folder = createFolder(t);
  writeFileSync(join(folder, 'a'), '1');
  const { next, changes } = await watching(t, folder, ['a']);
  writeFileSync(join(folder, 'b'), '1');
  await delay(100);
  assert.equal(changes(), 0);
  const changed = next();
  writeFileSync(join(folder, 'a'), '22');
  await changed;
  assert.equal(changes(), 1);
});

test('other files can be followed instead; that alone is no change', async (t) => {
  const folder = createFolder(t);
  for (const name of ['a', 'b']) writeFileSync(join(folder, name), '1');
  const { next, changes, follow } = await watching(t, folder, ['a']);
  follow(['b']);
  await delay(100);
  writeFileSync(join(folder, 'a'), '22');
  await delay(100);
  assert.equal(changes(), 0);
  const changed = next();
  writeFileSync(join(folder, 'b'), '22');
  await changed;
});

test('a folder that is not there yet, and one that is put in place of another, are found by looking', async (t) => {
  const folder = createFolder(t);
  const { next } = await watching(t, folder, ['sub/a'], { pollMs: 50 });
  let changed = next();
  mkdirSync(join(folder, 'sub'));
  writeFileSync(join(folder, 'sub', 'a'), '1');
  await changed;
  changed = next();
  renameSync(join(folder, 'sub'), join(folder, 'old'));
  mkdirSync(join(folder, 'sub'));
  writeFileSync(join(folder, 'sub', 'a'), '22');
  await changed;
  changed = next();
  writeFileSync(join(folder, 'sub', 'a'), '333');
  await changed;
});

test('what has changed since the files were read is told at once', async (t) => {
  const folder = createFolder(t);
  const file = join(folder, 'a');
  const readAtMs = Date.now();
  await delay(20);
  writeFileSync(file, '1');
  await new Promise<void>((resolve) => {
    const options = { quietMs: 20, pollMs: NEVER_MS, sinceMs: readAtMs };
    const watch = watchFiles([file], resolve, options);
    t.after(() => watch.close());
  });
  const { changes } = await watching(t, folder, ['a'], { sinceMs: Date.now() + 1000 });
  assert.equal(changes(), 0);
});

test('after its end nothing is told', async (t) => {
  const folder = createFolder(t);
  writeFileSync(join(folder, 'a'), '1');
  let changes = 0;
  const watch = watchFiles([join(folder, 'a')], () => (changes += 1), { quietMs: 1, pollMs: 20 });
  await delay(50);
  watch.close();
  writeFileSync(join(folder, 'a'), '22');
  await delay(100);
  assert.equal(changes, 0);
});
