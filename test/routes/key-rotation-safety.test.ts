import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { openConfigEdit } from '../../src/commands/config-file.ts';
import { runProgram } from '../../src/commands/program.ts';
import { NEXT, OLD, runFollowing, startRotatable } from '../support/rotating-proxy.ts';
import { createTestRuntime } from '../support/runtime.ts';

describe('key rotate with a key that several routes share', () => {
  it('gives the new key to each of them, since one server reads one key', async (t) => {
    const { rotate, client } = await startRotatable(t, { paths: ['/a', '/b'] });
    const { code, err } = await rotate('--route', '/a');
    assert.equal(code, 0, err);
    for (const index of [0, 1]) {
      assert.equal(client(index).key, 'private-2.jwk.json');
      assert.deepEqual(client(index).publish, ['private-2.jwk.json', 'private.jwk.json']);
    }
    assert.match(err, /"\/a", "\/b"/);
  });

  it('never deletes a file that another route still names', async (t) => {
    const { cwd, configFile, text, rotate } = await startRotatable(t, { paths: ['/a', '/b'] });
    writeFileSync(join(cwd, 'next.jwk.json'), NEXT.text, { mode: 0o600 });
    // As somebody would leave it who moved one route to a new key by hand.
    const moved = text().replace(
      '"key": "private.jwk.json"',
      '"key": "next.jwk.json", "publish": ["next.jwk.json", "private.jwk.json"]',
    );
    writeFileSync(configFile, moved);
    const { code, err } = await rotate('--route', '/a', '--finish', '--delete');
    assert.equal(code, 0, err);
    assert.ok(existsSync(join(cwd, 'private.jwk.json')), 'the route "/b" signs with it');
    assert.match(err, /private\.jwk\.json is kept: the route "\/b" uses it/);
  });
});

describe('key rotate --finish', () => {
  it('tells what it did as JSON when asked', async (t) => {
    const { cwd, rotate } = await startRotatable(t);
    assert.equal((await rotate()).code, 0);
    const { code, out } = await rotate('--finish', '--delete', '--json');
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(out), {
      routes: ['/fhir'],
      file: join(cwd, 'private-2.jwk.json'),
      unpublished: [join(cwd, 'private.jwk.json')],
      deleted: [join(cwd, 'private.jwk.json')],
    });
  });
});

describe('key rotate --delete', () => {
  it('is refused without --finish, and changes nothing', async (t) => {
    const { rotate, text } = await startRotatable(t);
    const before = text();
    const { code, err } = await rotate('--delete');
    assert.equal(code, 2);
    assert.match(err, /--delete is given without --finish/);
    assert.equal(text(), before);
  });
});

describe('an interrupted key rotate', () => {
  it('goes on with the key that it had begun with', async (t) => {
    const { cwd, configFile, text, rotate, client } = await startRotatable(t);
    writeFileSync(join(cwd, 'next.jwk.json'), NEXT.text, { mode: 0o600 });
    // What a power cut leaves while the new key is tried in the first place.
    const left = text().replace(
      '"key": "private.jwk.json"',
      '"key": "private.jwk.json", "publish": ["next.jwk.json", "private.jwk.json"]',
    );
    writeFileSync(configFile, left);
    assert.match((await rotate()).err, /go on with "fhir-auth-proxy key rotate next\.jwk\.json"/);
    const { code, err } = await rotate('next.jwk.json');
    assert.equal(code, 0, err);
    assert.equal(client().key, 'next.jwk.json');
  });

  it('publishes the key in use first again when the new one is refused', async (t) => {
    const { cwd, configFile, text, rotate, client } = await startRotatable(t, { inline: true });
    writeFileSync(join(cwd, 'next.jwk.json'), NEXT.text, { mode: 0o600 });
    const left = text().replace(
      '"key": "private.jwk.json"',
      '"key": "private.jwk.json", "publish": ["next.jwk.json", "private.jwk.json"]',
    );
    writeFileSync(configFile, left);
    assert.equal((await rotate('next.jwk.json')).code, 1);
    assert.equal(client().key, 'private.jwk.json');
    assert.equal(client().publish?.[0], 'private.jwk.json');
  });

  it('stops at Ctrl-C at once while a running proxy is waited for, and has put everything back when it says so', async (t) => {
    const { cwd, configFile, text, url } = await startRotatable(t);
    // It publishes the old key and takes nothing over, as a proxy with another config file.
    const server = createServer((_, answer) => {
      answer.end(JSON.stringify({ keys: [OLD.publicJwk] }));
    });
    await new Promise<void>((done) => server.listen(Number(new URL(url).port), '127.0.0.1', done));
    t.after(() => server.close());
    assert.ok((server.address() as AddressInfo).port > 0);
    const before = text();
    const runtime = createTestRuntime({ cwd });
    let textWhenTold: string | undefined;
    const told = runtime
      .errMatches(/stopped: the configuration is as it was/)
      .then(() => (textWhenTold = readFileSync(configFile, 'utf8')));
    const ended = runProgram(['key', 'rotate'], runtime, { version: '0' });
    // Whichever comes first, so that a command that fails early is seen and not waited for.
    await Promise.race([runtime.errMatches(/a proxy is running/), ended]);
    assert.match(runtime.err(), /a proxy is running/);
    while (text() === before) await Promise.race([new Promise(setImmediate), ended]);
    const stoppedAtMs = performance.now();
    runtime.stop('SIGINT');
    assert.equal(await ended, 130);
    assert.ok(performance.now() - stoppedAtMs < 1500);
    await told;
    assert.equal(textWhenTold, before);
  });
});

describe('key rotate and a config file that is not its own', () => {
  it('does not rotate when the environment says what is published', async (t) => {
    const { cwd, rotateWith, text } = await startRotatable(t);
    const before = text();
    const { code, err } = await rotateWith({
      FHIR_AUTH_PROXY_PUBLISH_FILES: join(cwd, 'private.jwk.json'),
    });
    assert.equal(code, 2);
    assert.match(err, /"routes\[0\]\.client\.publish" .* is not what is published/);
    assert.equal(text(), before);
  });

  it('leaves what somebody else wrote into the file meanwhile', async (t) => {
    const { configFile, text } = await startRotatable(t);
    const edit = await openConfigEdit(configFile);
    await edit.set([[['routes', 0, 'client', 'publish'], ['private.jwk.json']]]);
    const theirs = `${text()}// theirs\n`;
    writeFileSync(configFile, theirs);
    await assert.rejects(edit.restore(), { code: 'file-changed' });
    assert.equal(text(), theirs);
  });

  it('writes through a symbolic link', async (t) => {
    const { cwd, configFile, rotate, client } = await startRotatable(t);
    renameSync(configFile, join(cwd, 'real.json'));
    symlinkSync('real.json', configFile);
    assert.equal((await rotate()).code, 0);
    assert.ok(lstatSync(configFile).isSymbolicLink());
    assert.equal(client().key, 'private-2.jwk.json');
  });
});

describe('the advice after a refused key', () => {
  it('never tells to write a config file anew', async (t) => {
    const { rotate } = await startRotatable(t, { inline: true });
    const { err } = await rotate();
    assert.doesNotMatch(err, /--force/);
    assert.match(err, /fhir-auth-proxy register http\S+ --key private-2\.jwk\.json/);
  });
});

it('a shared config stays usable by a running proxy through rotation and finish', async (t) => {
  const { cwd, rotate, url } = await startRotatable(t, { paths: ['/a', '/b'] });
  await runFollowing(t, cwd);
  // Tokens in hand: a proxy without any is refused while it still signs with the old key.
  for (const path of ['/a', '/b']) await fetch(`${url}${path}/Patient?_count=1`);
  assert.equal((await rotate('--route', '/b')).code, 0);
  assert.equal((await rotate('--route', '/a', '--finish', '--delete')).code, 0);
  for (const path of ['/a', '/b']) {
    assert.equal((await fetch(`${url}${path}/Patient?_count=1`)).status, 200);
  }
});
