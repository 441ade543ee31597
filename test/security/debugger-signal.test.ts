/** Node opens its debugger on SIGUSR1, and every user of the machine could run code through it (CVE-2018-12120). */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';

import { startCli } from '../support/cli.ts';
import { createFolder } from '../support/folder-with-key.ts';
import { findFreePort } from '../support/free-port.ts';

test('SIGUSR1 opens no debugger, and the proxy goes on', async (t) => {
  const port = await findFreePort();
  const { child, ended, outMatches, err } = startCli(['start', '--sandbox', '--port', '0'], {
    cwd: createFolder(t),
    environment: { NODE_OPTIONS: `--inspect-port=${port}` },
    signal: t.signal,
  });
  const [, url] = await outMatches(/ready on (\S+)/);
  child.kill('SIGUSR1');
  // Opening it takes a few milliseconds; each request takes as long.
  for (let count = 0; count < 20; count += 1) {
    const response = await fetch(`${url}/fhir/metadata`);
    await response.arrayBuffer();
    assert.equal(response.status, 200);
    assert.equal(await isOpen(port), false);
  }
  child.kill('SIGTERM');
  await ended;
  assert.doesNotMatch(err(), /Debugger/);
});

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
