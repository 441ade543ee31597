import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { startCli } from '../support/cli.ts';
import { createSetup, replace, startFollowing } from '../support/following.ts';

describe('a config file under watch', () => {
  test('a valid change is taken over', async (t) => {
    const { file, text, server, logged, status } = await startFollowing(t);
    assert.equal(await status('/fhir/Patient'), 200);
    const routes = JSON.parse(text()).routes as object[];
    replace(file, text({ routes: [...routes, { ...routes[0], path: '/more' }] }));
    await logged(/configuration read again: added \\"\/more\\"/);
    assert.equal(await status('/more/Patient'), 200);
    assert.equal(server.requests.length, 2);
  });

  test('an invalid one is logged with every problem; the old one stays, and the next valid one counts', async (t) => {
    const { file, text, logged, status, forget } = await startFollowing(t);
    replace(file, text({ drainMs: -1, colour: 'blue' }));
    await logged(
      /"code":"config-invalid","path":"drainMs".*the old one stays: drainMs \(line 1, column \d+\)/,
    );
    await logged(/"path":"colour"/);
    assert.equal(await status('/fhir/Patient'), 200);
    replace(file, '{ "listen": ');
    await logged(/is not valid JSON/);
    assert.equal(await status('/fhir/Patient'), 200);
    forget();
    replace(file, text({ drainMs: 1 }));
    await logged(/configuration read again: no route has changed/);
  });

  test('what only a restart changes is said', async (t) => {
    const { file, text, logged } = await startFollowing(t);
    replace(file, text({ listen: { port: 8099 } }));
    const line = await logged(/"setting":"listen.port"/);
    assert.match(line, /"level":"warn".*restart the proxy/);
  });

  test('warnings are given once', async (t) => {
    const { file, text, logged, forget } = await startFollowing(t);
    const listen = { port: 0, unsafeAnyHost: true };
    replace(file, text({ listen }));
    await logged(/unsafeAnyHost is true/);
    forget();
    replace(file, text({ listen, drainMs: 5 }));
    assert.doesNotMatch(await logged(/configuration read again|unsafeAnyHost is true/), /unsafe/);
  });
});

test('a key file that is broken and repaired is followed', async (t) => {
  const { keyFile, key, logged, status } = await startFollowing(t);
  assert.equal(await status('/fhir/Patient'), 200);
  replace(keyFile, 'not a key');
  await logged(/"path":"routes\[\\"\/fhir\\"\]\.client\.key".*the old one stays/);
  assert.equal(await status('/fhir/Patient'), 200);
  replace(keyFile, `${key.text}\n`);
  await logged(/configuration read again: changed \\"\/fhir\\"/);
  assert.equal(await status('/fhir/Patient'), 200);
});

test('the start command follows its config file', async (t) => {
  const { folder, file, text } = await createSetup(t);
  const run = startCli(['--log-format', 'json'], { cwd: folder, signal: t.signal });
  const [, url = ''] = await run.outMatches(/ready on (\S+)/);
  assert.equal((await fetch(`${url}/fhir/Patient`)).status, 200);
  replace(file, text({ routes: 'none' }));
  await run.errMatches(/the old one stays: routes /);
  const access = { readOnly: true };
  replace(file, text({ routes: [{ ...JSON.parse(text()).routes[0], access }] }));
  await run.errMatches(/configuration read again/);
  assert.equal((await fetch(`${url}/fhir/Patient`, { method: 'POST', body: '{}' })).status, 403);
  run.child.kill('SIGTERM');
  assert.equal(await run.ended, 143);
});
