import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseLogLines } from '../../src/hints/error-log/reader.ts';
import { type LogSelection, selectEntries } from '../../src/hints/error-log/select.ts';

const AT = Date.UTC(2026, 10, 23, 18, 0, 0);
const during: LogSelection = { fromMs: AT - 500, toMs: AT + 500 };

function entries(...messages: string[]) {
  return parseLogLines(
    messages
      .map((message) => `[2026-11-23T18:00:00.000000+00:00] OpenEMR.ERROR: ${message}`)
      .join('\n'),
  );
}

const table: { what: string; message: string; selection: Partial<LogSelection>; kept: boolean }[] =
  [
    {
      what: 'nothing named',
      message: 'CSRF check failed [] []',
      selection: { clientId: 'a' },
      kept: true,
    },
    {
      what: 'our client',
      message: 'x {"client":"a"} []',
      selection: { clientId: 'a' },
      kept: true,
    },
    {
      what: 'another client',
      message: 'x {"client_id":"b"} []',
      selection: { clientId: 'a' },
      kept: false,
    },
    {
      what: 'another client in a line that was cut',
      message: 'x {"client_id":"b","trace":"#0 ...',
      selection: { clientId: 'a' },
      kept: false,
    },
    {
      what: 'an empty client',
      message: 'x {"clientId":""} []',
      selection: { clientId: 'a' },
      kept: true,
    },
    {
      what: 'our path under another name',
      message: String.raw`x {"path":"/apis/dispatch.php/default/fhir/Patient"} []`,
      selection: { path: '/apis/default/fhir/Patient?name=x' },
      kept: true,
    },
    {
      what: 'another path',
      message: 'x {"resource":"/default/fhir/Observation"} []',
      selection: { path: '/apis/default/fhir/Patient' },
      kept: false,
    },
    {
      what: 'an operation, percent-encoded',
      message: 'x {"resource":"/default/fhir/Patient/$export"} []',
      selection: { path: '/apis/default/fhir/Patient/%24export' },
      kept: true,
    },
    {
      what: 'a scope that was asked for',
      message: 'request access to invalid scope {"scope":"system/A.read"} []',
      selection: { scope: 'system/A.read system/B.read' },
      kept: true,
    },
    {
      what: 'a scope that was not asked for',
      message: 'request access to invalid scope {"scope":"system/C.read"} []',
      selection: { scope: 'system/A.read' },
      kept: false,
    },
  ];

for (const { what, message, selection, kept } of table) {
  test(`an entry with ${what} is ${kept ? 'kept' : 'left out'}`, () => {
    const selected = selectEntries(entries(message), { ...during, ...selection });
    assert.equal(selected.length, kept ? 1 : 0);
  });
}

test('a line is left out whole when one of its messages names another client', () => {
  const packed = parseLogLines(
    `[Mon Nov 23 18:00:00.000000 2026] [proxy_fcgi:error] [pid 1] [client 1.2.3.4:5] AH01071: Got error 'PHP message: [2026-11-23T18:00:00+00:00] OpenEMR.ERROR: Client is not enabled {"client_id":"b"} []; PHP message: [2026-11-23T18:00:00+00:00] OpenEMR.ERROR: JWT validation failed [] []'`,
  );
  assert.equal(packed.length, 2);
  assert.deepEqual(selectEntries(packed, { ...during, clientId: 'a' }), []);
});

test('time of arrival decides, else the time of the server, corrected by the difference of the clocks', () => {
  const [entry] = entries('x [] []');
  assert.ok(entry);
  const ask = (selection: Partial<LogSelection>, receivedAtMs?: number) =>
    selectEntries([receivedAtMs === undefined ? entry : { ...entry, receivedAtMs }], {
      ...during,
      ...selection,
    }).length;
  assert.equal(ask({}, AT + 100), 1);
  assert.equal(ask({}, AT + 501), 0);
  assert.equal(ask({}), 1);
  assert.equal(ask({ fromMs: AT + 10_000, toMs: AT + 11_000 }), 0);
  assert.equal(ask({ fromMs: AT - 60_000, toMs: AT - 59_000, clockDifferenceMs: 60_000 }), 1);
});
