import assert from 'node:assert/strict';
import { mkdtempSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { suite, test } from 'node:test';

import { ProxyError } from '../../src/base/errors.ts';
import { createLogger } from '../../src/observe/logger.ts';
import {
  createPalette,
  formatBytes,
  formatClock,
  formatDuration,
  wrap,
} from '../../src/observe/pretty.ts';
import { createSecretWatch } from '../support/secrets.ts';

const JWT = 'eyJhbGciOiJSUzM4NCJ9.eyJpc3MiOiJjbGllbnQifQ.c2lnbmF0dXJl';

suite('JSON log', () => {
  test('writes one object a line: time, level, fields, message', () => {
    const watch = createSecretWatch();
    const logger = createLogger({ format: 'json', level: 'info', stream: watch.stream });
    logger.info({ route: '/fhir', seconds: 300 }, 'token renewed');
    logger.error({ error: new ProxyError('boom', 'it broke') });
    logger.flush();
    const [first, second] = watch.lines().map((line) => JSON.parse(line));
    assert.ok(Math.abs(Date.parse(first.time) - Date.now()) < 5000);
    delete first.time;
    delete second.time;
    assert.deepEqual(first, {
      level: 'info',
      route: '/fhir',
      seconds: 300,
      msg: 'token renewed',
    });
    assert.deepEqual(second, {
      level: 'error',
      error: { code: 'boom', message: 'it broke' },
      msg: '',
    });
  });

  test('writes no secret, whatever is handed in', () => {
    const watch = createSecretWatch();
    watch.addSecret(JWT, 'opaque-token-1', 'hunter2hunter2');
    const logger = createLogger({ format: 'json', level: 'debug', stream: watch.stream });
    logger.debug(
      {
        headers: { authorization: 'Bearer opaque-token-1', cookie: 'OpenEMR=hunter2hunter2' },
        raw: JWT,
        error: new Error('failed', { cause: new Error(`with ${JWT}`) }),
      },
      `sent ${JWT} as Bearer opaque-token-1`,
    );
    logger.flush();
    assert.equal(watch.lines().length, 1);
    watch.assertNone();
  });

  test('lines below the level are not written, "silent" writes nothing', () => {
    const watch = createSecretWatch();
    const warns = createLogger({ format: 'json', level: 'warn', stream: watch.stream });
    warns.info({}, 'no');
    warns.debug({}, 'no');
    warns.warn({}, 'yes');
    const silent = createLogger({ format: 'json', level: 'silent', stream: watch.stream });
    silent.error({}, 'no');
    warns.flush();
    silent.flush();
    assert.deepEqual(
      watch.lines().map((line) => JSON.parse(line).msg),
      ['yes'],
    );
    assert.equal(warns.enabled('info'), false);
    assert.equal(warns.enabled('error'), true);
    assert.equal(silent.enabled('error'), false);
  });

  test('stacks are written at debug only', () => {
    for (const level of ['debug', 'info'] as const) {
      const watch = createSecretWatch();
      const logger = createLogger({ format: 'json', level, stream: watch.stream });
      logger.error({ error: new Error('x') }, 'y');
      logger.flush();
      const { error } = JSON.parse(watch.text());
      assert.equal('stack' in error, level === 'debug');
    }
  });

  test('writes many lines as few chunks, and all of them by flush, to a file descriptor', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'logger-')), 'log');
    const logger = createLogger({ format: 'json', level: 'info', stream: openSync(file, 'w') });
    for (let index = 0; index < 2000; index += 1) logger.info({ index }, 'line');
    logger.flush();
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).index),
      Array.from({ length: 2000 }, (_, index) => index),
    );
  });

  test('lines are written within a short time without a flush', async () => {
    const chunk = await new Promise<string>((resolve) => {
      const stream = new Writable({
        write(data, _encoding, done) {
          resolve(String(data));
          done();
        },
      });
      createLogger({ format: 'json', level: 'info', stream }).info({}, 'soon');
    });
    assert.match(chunk, /"soon"/);
  });

  test('a reader that went away does not break the caller', () => {
    const stream = new Writable({
      write(_data, _encoding, done) {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    const logger = createLogger({ format: 'json', level: 'info', stream });
    logger.info({}, 'one');
    logger.flush();
    logger.info({}, 'two');
    logger.flush();
  });
});

suite('pretty log', () => {
  function lines(
    level: 'debug' | 'info',
    color: boolean,
    use: (l: ReturnType<typeof createLogger>) => void,
  ) {
    const watch = createSecretWatch();
    const logger = createLogger({ format: 'pretty', level, stream: watch.stream, color });
    use(logger);
    logger.flush();
    return watch.text().replaceAll(/^\d\d:\d\d:\d\d\.\d{3}/gm, 'TIME');
  }

  test('writes time, severity, message and fields', () => {
    assert.equal(
      lines('info', false, (logger) => logger.warn({ route: '/fhir', left: 3 }, 'token is stale')),
      'TIME  warn   token is stale  route=/fhir  left=3\n',
    );
  });

  test('writes an error as code, message and causes, its stack at debug', () => {
    const error = new ProxyError('boom', 'it broke', {
      cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }),
    });
    assert.equal(
      lines('info', false, (logger) => logger.error({ error }, 'failed')),
      'TIME  error  failed  boom: it broke (ECONNREFUSED)\n',
    );
    assert.match(
      lines('debug', false, (logger) => logger.error({ error }, 'failed')),
      /\n.*ProxyError: it broke\n\s+at /,
    );
  });

  test('colours only when told to', () => {
    const painted = (color: boolean) => lines('info', color, (logger) => logger.warn({}, 'x'));
    assert.ok(painted(true).includes('\u001B[33mwarn'));
    assert.ok(!painted(false).includes('\u001B'));
  });

  test('a message cannot forge a line or drive the terminal', () => {
    assert.equal(
      lines('info', false, (logger) => logger.info({ a: 'b\n\u001B[2Jc' }, 'x\ny\u001B[31m')),
      'TIME  info   x y [31m  a="b\\n\\u001b[2Jc"\n',
    );
  });
});

suite('texts for people', () => {
  test('a duration has three digits and the unit that suits it', () => {
    assert.deepEqual(
      [undefined, 0, 0.42, 9.96, 123.4, 999.7, 1234, 59_990, 59_999, 125_000].map(formatDuration),
      [
        '-',
        '0.0 ms',
        '0.4 ms',
        '10 ms',
        '123 ms',
        '1.00 s',
        '1.23 s',
        '59.99 s',
        '1 min 00 s',
        '2 min 05 s',
      ],
    );
  });

  test('a size has the unit that suits it', () => {
    assert.deepEqual([0, 999, 1000, 2149, 14_000_000, 999_900, 3e12].map(formatBytes), [
      '0 B',
      '999 B',
      '1.0 kB',
      '2.1 kB',
      '14 MB',
      '1.0 MB',
      '3.0 TB',
    ]);
  });

  test('the clock is the local time of day', () => {
    for (const at of [new Date(2024, 4, 6, 7, 8, 9, 10), new Date(2024, 4, 6, 23, 59, 59, 999)]) {
      const parts = [at.getHours(), at.getMinutes(), at.getSeconds()];
      const text = parts.map((part) => String(part).padStart(2, '0')).join(':');
      const ms = String(at.getMilliseconds()).padStart(3, '0');
      assert.equal(formatClock(at.getTime()), `${text}.${ms}`);
    }
  });

  test('wrapping breaks at spaces and keeps long words whole', () => {
    assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
    assert.deepEqual(wrap('a verylongword b', 5), ['a', 'verylongword', 'b']);
    assert.deepEqual(wrap('', 5), []);
  });

  test('a palette without colour paints nothing', () => {
    assert.equal(createPalette(false).red('x'), 'x');
    assert.equal(createPalette(true).red('x'), '\u001B[31mx\u001B[39m');
  });
});
