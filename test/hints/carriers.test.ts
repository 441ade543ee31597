/** A log as other tools print it: each carrier is stripped, and no record is glued to another. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseLogLines } from '../../src/hints/error-log/reader.ts';
import { createLogExplainer } from '../../src/hints/explain-log.ts';

const COUNT = 40;
const CAUSE =
  'OpenEMR.ERROR: CustomClientCredentialsGrant->validateClient() failed to retrieve jwk for client {"client":"abc","exceptionMessage":"Malformed jwks missing keys property"} []';
const ORDINARY =
  'OpenEMR.WARNING: something that says nothing {"site":"default","note":"an ordinary line"} []';

const second = (at: number): string => `20:00:${String(at).padStart(2, '0')}`;
const stamp = (at: number): string => `2025-07-23T${second(at)}.363900123Z`;
const apache = (at: number, text: string): string =>
  `[Wed Jul 23 ${second(at)}.363827 2025] [php:notice] [pid 1448] [client 10.0.0.4:59853] [2025-07-23T${second(at)}.363409+00:00] ${text}`;
const html = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
/** What OpenEMR writes by itself, without Apache. */
const bare = (at: number, text: string): string =>
  `[2025-07-23T${second(at)}.363409+00:00] ${text}`;

const CARRIERS: Readonly<Record<string, (at: number, text: string) => string>> = {
  'docker compose logs': (at, text) => `openemr-1  | ${apache(at, text)}`,
  'docker compose logs -t': (at, text) => `openemr-1  | ${stamp(at)} ${apache(at, text)}`,
  'docker compose logs, in colours': (at, text) =>
    `\u001B[36mopenemr-1  |\u001B[0m ${apache(at, text)}`,
  'docker logs -t': (at, text) => `${stamp(at)} ${apache(at, text)}`,
  'docker logs -t without Apache': (at, text) => `${stamp(at)} ${bare(at, text)}`,
  'kubectl logs --prefix': (at, text) => `[pod/openemr-0/openemr] ${apache(at, text)}`,
  'kubectl logs --prefix --timestamps': (at, text) =>
    `[pod/openemr-0/openemr] ${stamp(at)} ${apache(at, text)}`,
  stern: (at, text) => `openemr-0 openemr ${apache(at, text)}`,
  'stern with times': (at, text) => `openemr-0 openemr ${stamp(at)} ${apache(at, text)}`,
  'journalctl, short': (at, text) => `Jul 23 ${second(at)} emr1 apache2[1448]: ${apache(at, text)}`,
  'journalctl, short-iso': (at, text) =>
    `2025-07-23T${second(at)}+0000 emr1 apache2[1448]: ${apache(at, text)}`,
  'journalctl, json': (at, text) =>
    JSON.stringify({ __CURSOR: 's=1', _PID: '1448', MESSAGE: apache(at, text) }),
  'journalctl, json with bytes': (at, text) =>
    JSON.stringify({ MESSAGE: [...Buffer.from(apache(at, text))] }),
  'journalctl, export': (at, text) =>
    `__CURSOR=s=1\n_PID=1448\nPRIORITY=6\nMESSAGE=${apache(at, text)}\n_COMM=apache2\n`,
  'syslog, RFC 3164': (at, text) =>
    `<13>Jul 23 ${second(at)} emr1 apache2[1448]: ${apache(at, text)}`,
  'syslog, RFC 5424': (at, text) =>
    `<13>1 ${stamp(at)} emr1 apache2 1448 - [x@1 a="b"] ${apache(at, text)}`,
  "docker's json-file": (at, text) =>
    JSON.stringify({ log: `${apache(at, text)}\n`, stream: 'stderr', time: stamp(at) }),
  'CRI files': (at, text) => `${stamp(at)} stderr F ${apache(at, text)}`,
  'CloudWatch as JSON': (at, text) =>
    JSON.stringify({ timestamp: 1, message: apache(at, text), ingestionTime: 2 }),
  'Loki as JSON': (at, text) =>
    JSON.stringify({ line: apache(at, text), timestamp: stamp(at), fields: { app: 'emr' } }),
  "Monolog's JSON": (at, text) => {
    const [, message = '', context = '[]'] =
      /^OpenEMR\.\w+: ([^{]+) (\{.*\}) \[\]$/.exec(text) ?? [];
    return JSON.stringify({
      message,
      context: JSON.parse(context) as unknown,
      level_name: 'ERROR',
      channel: 'OpenEMR',
      datetime: stamp(at),
      extra: [],
    });
  },
  'nginx FastCGI': (at, text) =>
    `2025/07/23 ${second(at)} [error] 12#12: *${at} FastCGI sent in stderr: "PHP message: ${bare(at, text)}" while reading response header from upstream, client: 10.0.0.4, server: _, request: "POST / HTTP/1.1"`,
  'PHP-FPM, decorated': (at, text) =>
    `[23-Jul-2025 ${second(at)}] WARNING: [pool www] child 12 said into stderr: "NOTICE: PHP message: ${bare(at, text)}"`,
  "PHP's own log": (at, text) => `[23-Jul-2025 ${second(at)} UTC] ${text}`,
  'a mail': (at, text) => `> ${apache(at, text)}`,
  'a mail in a mail': (at, text) => `> > ${apache(at, text)}`,
  'the source of a page': (at, text) => html(apache(at, text)),
  'lines that end in CRLF': (at, text) => `${apache(at, text)}\r`,
  'a terminal 100 columns wide': (at, text) =>
    (apache(at, text).match(/.{1,100}/g) ?? []).join('\n'),
};

function write(carry: (at: number, text: string) => string): string {
  const lines = Array.from({ length: COUNT }, (_, at) =>
    carry(at, at === COUNT / 2 ? CAUSE : ORDINARY),
  );
  return `${lines.join('\n')}\n`;
}

describe('the carriers of a log', () => {
  for (const [name, carry] of Object.entries(CARRIERS)) {
    it(`${name}: every record is read by itself, and the one with the cause is explained`, () => {
      const text = write(carry);
      const entries = parseLogLines(text);
      assert.equal(entries.length, COUNT);
      assert.equal(entries[COUNT / 2]?.context?.['client'], 'abc');
      const explainer = createLogExplainer();
      explainer.push(text);
      explainer.end();
      const [found, ...others] = explainer.hints();
      assert.equal(found?.hint.id, 'jwks-missing-keys');
      assert.equal(found.count, 1);
      assert.deepEqual(others, []);
    });
  }

  it('lines of two services are not glued together', () => {
    const text = [
      'emr-1  | PHP Fatal error:  Uncaught Error: no in /srv/a.php:1',
      'mysql-1  | ready for connections',
      'emr-1  | Stack trace:',
    ].join('\n');
    assert.deepEqual(
      parseLogLines(text).map(({ message }) => message),
      [
        'PHP Fatal error:  Uncaught Error: no in /srv/a.php:1',
        'ready for connections',
        'Stack trace:',
      ],
    );
  });

  it('lines that are not understood are messages of their own, so that they are counted', () => {
    const explainer = createLogExplainer();
    explainer.push('alpha\nbeta\ngamma\n');
    explainer.end();
    assert.equal(explainer.messages(), 3);
  });

  it('different causes of one hint are counted apart', () => {
    const explainer = createLogExplainer();
    for (const what of ['one', 'two', 'one']) {
      explainer.push(`PHP Fatal error:  Uncaught Error: ${what} in /srv/apis/dispatch.php:1\n`);
      explainer.push('  thrown in /srv/apis/dispatch.php on line 1\n');
    }
    explainer.end();
    assert.deepEqual(
      explainer.hints().map(({ count }) => count),
      [2, 1],
    );
  });

  it('a record with line feeds of its own is read behind a carrier', () => {
    const lines = ['OpenEMR.ERROR: Failed {"exception":"details:', '- The token is expired"} []'];
    const [entry, ...others] = parseLogLines(
      lines.map((line) => `openemr-1  | ${stamp(1)} ${line}`).join('\n'),
    );
    assert.deepEqual(entry?.context, { exception: 'details:\n- The token is expired' });
    assert.deepEqual(others, []);
  });
});
