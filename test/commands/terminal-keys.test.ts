import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';

import { ProxyError } from '../../src/base/errors.ts';
import { isForeground } from '../../src/commands/foreground.ts';
import { listenForKeys, openInBrowser } from '../../src/commands/terminal-keys.ts';
import { createTestRuntime } from '../support/runtime.ts';

function setUp({ isTTY = true, foreground = true } = {}) {
  const runtime = createTestRuntime({ isTTY });
  const modes: boolean[] = [];
  const keyboard = Object.assign(new PassThrough(), {
    setRawMode: (on: boolean) => modes.push(on),
    unref: () => {},
  });
  let acted = 0;
  const list = listenForKeys(
    { ...runtime, stdin: { isTTY, stream: keyboard } },
    [
      {
        key: 'r',
        does: 'renew',
        act: () => {
          acted += 1;
          return Promise.resolve('renewed');
        },
      },
      {
        key: 'x',
        does: 'fail',
        act: () => Promise.reject(new ProxyError('no-luck', 'the server is down')),
      },
    ],
    () => foreground,
  );
  const press = async (key: string): Promise<void> => {
    const arrived = once(keyboard, 'data');
    keyboard.write(key);
    await arrived;
    await new Promise(setImmediate);
  };
  return { runtime, modes, list, press, acted: () => acted };
}

describe('keys', () => {
  test('are listed, do what they say, and say what came of it', async () => {
    const { runtime, list, press, acted } = setUp();
    assert.equal(list, 'keys: r renew · x fail · h help');
    await press('r');
    assert.equal(acted(), 1);
    await press('x');
    await press('h');
    await press('z');
    assert.equal(runtime.err(), `renewed\nfail: the server is down\n${list}\n`);
  });

  test('that are pasted in one piece do nothing', async () => {
    const { press, acted } = setUp();
    await press('rrr');
    assert.equal(acted(), 0);
  });

  test('leave Ctrl-C and Ctrl-D what they are', async () => {
    for (const key of ['\u0003', '\u0004']) {
      const { runtime, press } = setUp();
      await press(key);
      assert.equal(runtime.stopSignal().reason, 'SIGINT');
    }
  });

  test('give the terminal back at the end', () => {
    const { runtime, modes } = setUp();
    runtime.exit();
    assert.deepEqual(modes, [true, false]);
  });

  test('are not listened for without a terminal, or in the background of one', () => {
    assert.equal(setUp({ isTTY: false }).list, undefined);
    const background = setUp({ foreground: false });
    assert.equal(background.list, undefined);
    assert.deepEqual(background.modes, []);
  });
});

test('a process without a terminal is in no foreground, and asking does not fail', () => {
  assert.equal(typeof isForeground(), 'boolean');
});

test('without a browser the address is shown', async () => {
  const path = process.env['PATH'];
  process.env['PATH'] = '';
  try {
    const said = await openInBrowser('http://127.0.0.1:1/_proxy/', 'linux');
    assert.equal(
      said,
      'no browser could be opened; the inspector is at http://127.0.0.1:1/_proxy/',
    );
  } finally {
    process.env['PATH'] = path;
  }
});
