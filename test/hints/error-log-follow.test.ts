import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';

import type { LogEntry } from '../../src/hints/error-log/entry.ts';
import { followErrorLog, type FollowErrorLogOptions } from '../../src/hints/error-log/follow.ts';
import { listLogFiles } from '../../src/hints/error-log/newest-file.ts';

const line = (text: string): string =>
  `[2026-11-23T18:27:32.251183+00:00] OpenEMR.ERROR: ${text} [] []\n`;

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'error-log-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

function follow(t: TestContext, options: FollowErrorLogOptions) {
  const waiting: { message: string; resolve: (entry: LogEntry) => void }[] = [];
  const seen: string[] = [];
  const follower = followErrorLog({
    ...options,
    onEntries(entries) {
      for (const entry of entries) {
        seen.push(entry.message);
        for (const { message, resolve } of waiting) if (message === entry.message) resolve(entry);
      }
    },
  });
  t.after(() => follower.close());
  const arrival = (message: string): Promise<LogEntry> =>
    new Promise((resolve) => waiting.push({ message, resolve }));
  return { follower, seen, arrival };
}

test('begins at the end of the file and reads what is added', async (t) => {
  const path = join(await folder(t), 'error.log');
  await writeFile(path, line('old'));
  const { follower, seen } = follow(t, { path });
  await follower.catchUp();
  assert.deepEqual(follower.state(), {
    state: 'following',
    file: path,
    hasText: false,
    entries: 0,
  });
  await appendFile(path, line('one') + line('two'));
  await follower.catchUp();
  assert.deepEqual(seen, ['one', 'two']);
});

test('notices an addition without being asked', async (t) => {
  const path = join(await folder(t), 'error.log');
  await writeFile(path, '');
  const { follower, arrival } = follow(t, { path });
  await follower.catchUp();
  const arrived = arrival('noticed');
  await appendFile(path, line('noticed'));
  assert.equal((await arrived).level, 'error');
});

test('follows a rotation by renaming, losing no line of either file', async (t) => {
  const path = join(await folder(t), 'error.log');
  await writeFile(path, '');
  const { follower, seen } = follow(t, { path });
  await follower.catchUp();
  await appendFile(path, line('before'));
  await rename(path, `${path}.1`);
  await appendFile(`${path}.1`, line('late'));
  await writeFile(path, line('after'));
  await utimes(path, new Date(), new Date(Date.now() + 1000));
  await follower.catchUp();
  await follower.catchUp();
  assert.deepEqual(seen, ['before', 'late', 'after']);
  assert.equal(follower.state().file, path);
});

test('follows a truncation', async (t) => {
  const path = join(await folder(t), 'error.log');
  await writeFile(path, line('x'.repeat(500)));
  const { follower, seen } = follow(t, { path });
  await follower.catchUp();
  await truncate(path);
  await appendFile(path, line('fresh'));
  await follower.catchUp();
  assert.deepEqual(seen, ['fresh']);
});

test('waits for a file that is not there, and follows one that is made anew', async (t) => {
  const path = join(await folder(t), 'error.log');
  const { follower, seen } = follow(t, { path });
  await follower.catchUp();
  assert.equal(follower.state().state, 'waiting');
  assert.match(follower.state().reason ?? '', /no readable file matches/);
  await writeFile(path, line('first'));
  await follower.catchUp();
  assert.equal(follower.state().state, 'following');
  await rm(path);
  await follower.catchUp();
  assert.equal(follower.state().state, 'waiting');
  await writeFile(path, line('second'));
  await follower.catchUp();
  assert.deepEqual(seen, ['first', 'second']);
});

test("follows OpenEMR's circular logs: error.log, .1 … .4 in turn, each overwritten", async (t) => {
  const path = join(await folder(t), 'error.log');
  const old = new Date(Date.now() - 86_400_000);
  await writeFile(`${path}.1`, line('five days old'));
  await utimes(`${path}.1`, old, old);
  await writeFile(path, line('today'));
  const { follower, seen } = follow(t, { path });
  await follower.catchUp();
  await writeFile(`${path}.1`, line('next'));
  await utimes(`${path}.1`, new Date(), new Date(Date.now() + 1000));
  await follower.catchUp();
  await appendFile(`${path}.1`, line('and on'));
  await utimes(`${path}.1`, new Date(), new Date(Date.now() + 2000));
  await follower.catchUp();
  assert.deepEqual(seen, ['next', 'and on']);
  assert.equal(follower.state().file, `${path}.1`);
});

test('a glob names the newest of its files, also in several folders', async (t) => {
  const root = await folder(t);
  const old = new Date(Date.now() - 60_000);
  await writeFile(join(root, 'a-error.log'), '');
  await writeFile(join(root, 'b-error.log'), '');
  await writeFile(join(root, '.hidden-error.log'), '');
  await writeFile(join(root, 'access.log'), '');
  await utimes(join(root, 'a-error.log'), old, old);
  const files = await listLogFiles(join(root, '*error.log'));
  assert.deepEqual(
    files.map(({ path }) => path),
    [join(root, 'b-error.log'), join(root, 'a-error.log')],
  );
  const { follower, seen } = follow(t, { path: join(root, '*-error.log') });
  await follower.catchUp();
  await appendFile(join(root, 'a-error.log'), line('from a'));
  await utimes(join(root, 'a-error.log'), new Date(), new Date(Date.now() + 1000));
  await follower.catchUp();
  assert.deepEqual(seen, ['from a']);
});

test('skips the older part when very much has piled up', async (t) => {
  const path = join(await folder(t), 'error.log');
  await writeFile(path, '');
  const { follower } = follow(t, { path });
  await follower.catchUp();
  await appendFile(path, line('lost') + line('z'.repeat(1000)).repeat(3000) + line('last'));
  await follower.catchUp();
  const entries = follower.entriesSince(0);
  assert.equal(entries.at(-1)?.message, 'last');
  assert.ok(entries.length <= 500);
  assert.ok(entries.every(({ message }) => message !== 'lost'));
});

test('gives the entries since a time, and those of an exchange', async (t) => {
  const path = join(await folder(t), 'error.log');
  await writeFile(path, '');
  let now = 1000;
  const { follower } = follow(t, { path, clock: { now: () => now } });
  await follower.catchUp();
  await appendFile(path, line('early'));
  await follower.catchUp();
  now = 2000;
  await appendFile(path, line('late'));
  await follower.catchUp();
  assert.deepEqual(
    follower.entriesSince(1500).map(({ message }) => message),
    ['late'],
  );
  assert.deepEqual(
    follower.matching({ fromMs: 900, toMs: 1100 }).map(({ message }) => message),
    ['early'],
  );
});

test("follows a command's output, and starts it again when it ends", async (t) => {
  const path = await folder(t);
  const flag = join(path, 'ran');
  const script = `
    const fs = require('node:fs');
    const again = fs.existsSync(${JSON.stringify(flag)});
    fs.writeFileSync(${JSON.stringify(flag)}, '');
    process.stdout.write('OpenEMR.ERROR: ' + (again ? 'second' : 'first') + ' run [] []\\n');
    if (!again) { process.stderr.write('container is restarting'); process.exit(3); }
    setInterval(() => {}, 1000);`;
  const { follower, arrival } = follow(t, { command: [process.execPath, '-e', script] });
  const second = arrival('second run');
  await arrival('first run');
  await second;
  assert.equal(follower.state().state, 'following');
});

test('old lines with which a command begins do not count as new', async (t) => {
  const script = `
    process.stdout.write('[2020-01-01T00:00:00.000000+00:00] OpenEMR.ERROR: years ago [] []\\n');
    setInterval(() => {}, 1000);`;
  const { follower, arrival } = follow(t, { command: [process.execPath, '-e', script] });
  const entry = await arrival('years ago');
  assert.equal(entry.receivedAtMs, Date.UTC(2020, 0, 1));
  assert.deepEqual(follower.entriesSince(Date.now() - 60_000), []);
});

test('a command that cannot be run is told, not thrown', async (t) => {
  let follower: ReturnType<typeof follow>['follower'] | undefined;
  const fields = await new Promise((resolve) => {
    const logger = { debug() {}, info() {}, warn: resolve, error() {} };
    ({ follower } = follow(t, { command: ['/no/such/program'], logger }));
  });
  assert.match(JSON.stringify(fields), /ENOENT/);
  assert.equal(follower?.state().state, 'waiting');
});

test('closing ends the command', async () => {
  const follower = followErrorLog({
    command: [process.execPath, '-e', 'setInterval(() => {}, 1000)'],
  });
  await follower.close();
  assert.deepEqual(follower.entriesSince(0), []);
});
