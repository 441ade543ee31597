import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import type { Exchange, Hint } from '../../src/base/contracts.ts';
import { ProxyError, UpstreamError } from '../../src/base/errors.ts';
import { parseInteraction } from '../../src/fhir/interaction.ts';
import { createExchangeLog, type ExchangeLogOptions } from '../../src/observe/exchange-log.ts';
import { createLogger, type LogLevel } from '../../src/observe/logger.ts';
import { createSecretWatch } from '../support/secrets.ts';

const NOW = new Date(2026, 2, 4, 5, 6, 7, 890).getTime();

function buildExchange(changes: Partial<Exchange> = {}): Exchange {
  return {
    id: '1a',
    startedAtMs: NOW - 12,
    method: 'GET',
    route: '/fhir',
    interaction: parseInteraction('GET', '/Patient'),
    parameterNames: ['name', '_count'],
    status: 200,
    outcome: 'forwarded',
    requestBytes: 0,
    responseBytes: 2149,
    tokenOrigin: 'cached',
    replayed: false,
    timings: { tokenMs: 0.0214, upstreamMs: 10.5, totalMs: 12.3456 },
    hints: [],
    ...changes,
  };
}

const HINT: Hint = {
  id: 'client-disabled',
  certainty: 'certain',
  title: 'the client is disabled',
  cause: 'OpenEMR registers every client switched off.',
  fix: 'Open Admin > System > API Clients and enable it.',
  evidence: 'log line',
};

function run(
  format: 'pretty' | 'json',
  exchanges: Exchange[],
  options: Omit<Partial<ExchangeLogOptions>, 'logger'> & { level?: LogLevel; color?: boolean } = {},
): string[] {
  const { level = 'info', color = false, ...rest } = options;
  const watch = createSecretWatch();
  const logger = createLogger({ format, level, stream: watch.stream, color });
  const log = createExchangeLog({ logger, clock: { now: () => NOW }, ...rest });
  for (const exchange of exchanges) log(exchange);
  logger.flush();
  watch.assertNone();
  return watch.lines();
}

suite('JSON exchange line', () => {
  const json = (...args: Parameters<typeof run> extends [unknown, ...infer R] ? R : never) =>
    run('json', ...args).map((line) => JSON.parse(line));

  test('is flat and holds what the documentation lists', () => {
    assert.deepEqual(json([buildExchange()]), [
      {
        time: new Date(NOW).toISOString(),
        level: 'info',
        msg: 'exchange',
        id: '1a',
        route: '/fhir',
        method: 'GET',
        interaction: 'search Patient',
        parameters: 'name,_count',
        status: 200,
        outcome: 'forwarded',
        durationMs: 12.346,
        tokenMs: 0.021,
        upstreamMs: 10.5,
        requestBytes: 0,
        responseBytes: 2149,
        token: 'cached',
        replayed: false,
      },
    ]);
  });

  test('explains a hint once a minute and names it in between', () => {
    let now = NOW;
    const exchange = buildExchange({ hints: [HINT, { ...HINT, id: 'other' }] });
    const watch = createSecretWatch();
    const logger = createLogger({ format: 'json', level: 'info', stream: watch.stream });
    const log = createExchangeLog({
      logger,
      clock: { now: () => now },
      hintUrl: (id) => `u/${id}`,
    });
    log(exchange);
    now += 59_000;
    log(exchange);
    now += 2000;
    log(exchange);
    logger.flush();
    const [first, second, third] = watch.lines().map((line) => JSON.parse(line));
    assert.equal(first.hint, 'client-disabled');
    assert.equal(first.hintTitle, HINT.title);
    assert.equal(first.hintCause, HINT.cause);
    assert.equal(first.hintFix, HINT.fix);
    assert.equal(first.hintUrl, 'u/client-disabled');
    assert.equal(first.otherHints, 'other');
    assert.equal(second.hint, 'client-disabled');
    assert.equal('hintTitle' in second, false);
    assert.equal(third.hintTitle, HINT.title);
  });

  test("names the proxy's own error", () => {
    const error = new UpstreamError('connection_refused', 'cannot reach "http://h:1"');
    const [line] = json([buildExchange({ error, outcome: 'failed', status: 502 })]);
    assert.equal(line.error, 'connection_refused');
    assert.equal(line.errorMessage, 'cannot reach "http://h:1"');
  });

  test('shows the target only where the exchange carries one', () => {
    assert.equal(json([buildExchange()])[0].target, undefined);
    assert.equal(json([buildExchange({ target: '/fhir/Patient/1' })])[0].target, '/fhir/Patient/1');
  });
});

suite('severity', () => {
  const cases: readonly (readonly [string, Partial<Exchange>, LogLevel])[] = [
    ['a forwarded 200', {}, 'info'],
    ['a forwarded 404', { status: 404 }, 'info'],
    ['a forwarded 500', { status: 500 }, 'warn'],
    ['a refused request', { status: 403, outcome: 'refused' }, 'info'],
    ['no token', { status: 503, outcome: 'failed' }, 'warn'],
    ['an upstream that died in the middle', { outcome: 'upstream-died' }, 'warn'],
    ['a client that left', { status: 0, outcome: 'client-gone' }, 'info'],
    ['a reserved path', { outcome: 'answered' }, 'debug'],
  ];
  for (const [title, changes, level] of cases) {
    test(`${title}: ${level}`, () => {
      const [line] = run('json', [buildExchange(changes)], { level: 'debug' });
      assert.equal(JSON.parse(String(line)).level, level);
    });
  }

  test('what is below the level is not written', () => {
    assert.deepEqual(run('json', [buildExchange()], { level: 'warn' }), []);
  });
});

suite('pretty exchange line', () => {
  test('has aligned columns', () => {
    assert.deepEqual(
      run('pretty', [
        buildExchange(),
        buildExchange({
          interaction: parseInteraction('GET', '/Observation/7'),
          status: 404,
          responseBytes: 12,
          tokenOrigin: 'fresh',
          replayed: true,
          timings: { totalMs: 1234 },
        }),
        buildExchange({ status: 0, outcome: 'client-gone', tokenOrigin: 'none', timings: {} }),
      ]),
      [
        '05:06:07.890  200   search Patient                    12 ms   2.1 kB  cached',
        '05:06:07.890  404   read Observation                 1.23 s     12 B  fresh, replayed',
        '05:06:07.890  gone  search Patient                        -   2.1 kB',
      ],
    );
  });

  test('has the hint underneath, once', () => {
    const exchange = buildExchange({ status: 401, hints: [HINT] });
    const lines = run('pretty', [exchange, exchange], {
      hintUrl: (id) => `http://h/_proxy/hints/${id}`,
    });
    assert.deepEqual(lines.slice(1, 5), [
      '                    hint   the client is disabled',
      '                    cause  OpenEMR registers every client switched off.',
      '                    fix    Open Admin > System > API Clients and enable it.',
      '                    more   http://h/_proxy/hints/client-disabled',
    ]);
    assert.equal(lines[6], '                    hint   client-disabled (see above)');
    assert.equal(lines.length, 7);
  });

  test('wraps long hints to the width of the terminal', () => {
    const hint = { ...HINT, cause: 'word '.repeat(60).trim() };
    const lines = run('pretty', [buildExchange({ hints: [hint] })], { columns: 80 });
    assert.ok(lines.length > 6);
    for (const line of lines) assert.ok(line.length <= 80, line);
  });

  test('colours by status class', () => {
    const paint = (status: number) =>
      run('pretty', [buildExchange({ status })], { color: true })[0] ?? '';
    assert.ok(paint(200).includes('\u001B[32m200'));
    assert.ok(paint(302).includes('\u001B[36m302'));
    assert.ok(paint(404).includes('\u001B[33m404'));
    assert.ok(paint(500).includes('\u001B[31m500'));
  });

  test('names route, error and target where asked to', () => {
    const lines = run(
      'pretty',
      [
        buildExchange({
          status: 502,
          outcome: 'failed',
          target: '/fhir/Patient?name=Ada',
          error: new ProxyError('boom', 'it broke'),
        }),
      ],
      { showRoute: () => true, showValues: true },
    );
    assert.match(String(lines[0]), / {2}\/fhir search Patient {2}/);
    assert.equal(lines[1], '                    target /fhir/Patient?name=Ada');
    assert.equal(lines[2], '                    error  boom: it broke');
  });

  test('a request outside every route is shown without its path', () => {
    const [line] = run('pretty', [
      { ...buildExchange({ status: 404, outcome: 'refused' }), interaction: undefined } as never,
    ]);
    assert.match(String(line), /404 {3}GET \(no route\)/);
  });
});
