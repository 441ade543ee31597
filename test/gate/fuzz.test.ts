import assert from 'node:assert/strict';
import { test } from 'node:test';

import { admitted, ask, buildGate, verdict } from '../support/gate.ts';
import { parsePhpParameters, percentDecode, resolvePath } from '../support/openemr-path.ts';
import { createRandom, type Random } from '../support/random.ts';

const SEED = 20_260_101;
const BASE = '/apis/default/fhir';

/** Pieces that targets are made of: what belongs there, and what attacks are made of. */
const PIECES = [
  '/ / / . .. %2e %2E %252e %2f %2F %252f \\ %5c %5C %255c ; %3b ? %3f # %23 & %26 = + %2b %20 %00 %09',
  '%0a %7f %c0%ae %u002e % %2 %25 %2525 [ ] %5b %5d | : @ Patient Observation $export _search 1',
  '_history metadata a34bc501-d7e4 _REWRITE_COMMAND _REWRITE REWRITE COMMAND _ %5f %5F name x * (',
  'default/api/x \' " < ~ \u0001 \u00e9 \t',
].flatMap((line) => line.split(' '));
PIECES.push(' ');
const LEGAL = [
  '/Patient /Patient/1 /Patient?name=Chen /Observation?code=http://loinc.org|1234-5 /metadata',
  '/$export?_type=Patient /Patient/1/_history/2 /Patient/1/Observation?date=ge2020',
].flatMap((line) => line.split(' '));
const START = ['/fhir', '/fhir', '/fhir', '/fhir/', '/', '', '/fhirx', 'http://e/fhir', '//'];

function randomTarget(random: Random): string {
  if (random.chance(0.45)) return random.pick(START) + randomPieces(random, 9);
  if (random.chance(0.1))
    return `/fhir/Patient${random.pick(['?', '&', '%26', '%3f'])}${randomForm(random)}`;
  const legal = random.pick(LEGAL);
  const at = random.below(legal.length + 1);
  const skip = random.chance(0.5) ? 0 : random.below(3);
  return `/fhir${legal.slice(0, at)}${randomPieces(random, 4)}${legal.slice(at + skip)}`;
}

function randomPieces(random: Random, most: number): string {
  let text = '';
  for (let count = random.below(most + 1); count > 0; count--) text += random.pick(PIECES);
  return text;
}

test(`no target that the gate lets through leaves the FHIR base (seed ${SEED})`, () => {
  const random = createRandom(SEED);
  const gate = buildGate();
  const counts: Record<string, number> = {};
  for (let run = 0; run < 120_000; run++) {
    const url = randomTarget(random);
    const admission = ask(gate, random.pick(['GET', 'POST', 'DELETE', 'HEAD']), url);
    const said = verdict(admission);
    counts[said] = (counts[said] ?? 0) + 1;
    if (said !== 'route') continue;
    const { target } = admitted(admission);
    assert.equal(`/fhir${target}`, url, 'the bytes are the client’s own');
    assertInside(BASE + target, url);
  }
  assert.ok((counts['route'] ?? 0) > 10_000, `admitted ${counts['route']}`);
  for (const code of ['target-refused', 'parameter-refused', 'route-unknown']) {
    assert.ok((counts[code] ?? 0) > 100, `${code} ${counts[code]}`);
  }
});

/** No reading of the target, and nothing in its query, leads outside the base. */
function assertInside(target: string, url: string): void {
  const question = target.indexOf('?');
  const path = question < 0 ? target : target.slice(0, question);
  const query = question < 0 ? '' : target.slice(question + 1);
  for (const reading of [path, percentDecode(path), percentDecode(percentDecode(path))]) {
    const resolved = resolvePath(reading);
    assert.ok(resolved === BASE || resolved.startsWith(`${BASE}/`), `${url} reads as ${resolved}`);
  }
  const rewritten = `_REWRITE_COMMAND=${percentDecode(path).slice('/apis/'.length)}&${query}`;
  const command = parsePhpParameters(rewritten).get('_REWRITE_COMMAND');
  assert.ok(typeof command === 'string', `${url} makes an array of the command`);
  const dispatched = resolvePath(`/apis/${command}`);
  assert.ok(
    dispatched === BASE || dispatched.startsWith(`${BASE}/`),
    `${url} dispatches ${command}`,
  );
  // Not only inside: the path that was judged is the path that is dispatched.
  assert.equal(command.replaceAll('+', ' '), dispatchedPath(path), url);
}

function dispatchedPath(path: string): string {
  return percentDecode(percentDecode(path).slice('/apis/'.length).replaceAll('+', ' '));
}

const UNDERSCORES = ['_', '_', '%5f', '%5F', '.', '%2e', '[', '%5b', ' ', '+', '%20', '%255f', ''];
const REWRITE = ['REWRITE', 'REWRITE', 'R%45WRITE', 'rewrite', 'REWRIT'];
const COMMAND = ['COMMAND', 'COMMAND', '%43OMMAND', 'COMMAN', 'command'];
const AROUND = [
  '',
  '',
  '',
  '',
  ' ',
  '+',
  '%20',
  '%00',
  '[]',
  '[x',
  ']',
  'x',
  '\t',
  '%',
  '\u00ff',
  '\n',
];
const SEPARATORS = ['&', '&', '=', '=x&', '=%26&', ';', '%26', ''];

/** Parameters, most of them some spelling of the one that must not be. */
function randomForm(random: Random): string {
  let text = '';
  for (let count = random.below(4); count > 0; count--) {
    text += random.pick(AROUND);
    text += random.chance(0.2)
      ? random.pick(['name', 'code:exact', '_id', '_REWRITE'])
      : [UNDERSCORES, REWRITE, UNDERSCORES, COMMAND].map((part) => random.pick(part)).join('');
    text += random.pick(AROUND) + random.pick(SEPARATORS);
  }
  return text;
}

test(`no form that the gate lets through sets _REWRITE_COMMAND in PHP (seed ${SEED})`, () => {
  const random = createRandom(SEED);
  const fields = ['Content-Type', 'application/x-www-form-urlencoded'];
  const { judgeBody } = admitted(ask(buildGate(), 'POST', '/fhir/Patient/_search', fields));
  assert.ok(judgeBody);
  let passed = 0;
  let refused = 0;
  let harmful = 0;
  for (let run = 0; run < 60_000; run++) {
    const body = randomForm(random);
    const sets = parsePhpParameters(body).has('_REWRITE_COMMAND');
    if (judgeBody.judge(Buffer.from(body, 'latin1')) === undefined) {
      passed++;
      assert.ok(!sets, JSON.stringify(body));
    } else {
      refused++;
      if (sets) harmful++;
    }
  }
  assert.ok(
    passed > 10_000 && harmful > 200,
    `passed ${passed}, refused ${refused}, ${harmful} rightly`,
  );
});

test(`whatever a request head holds, the gate answers (seed ${SEED})`, () => {
  const random = createRandom(SEED);
  const gate = buildGate({ access: { readOnly: true, deny: ['Encounter'] } });
  const names = ['Host', 'Origin', 'Sec-Fetch-Site', 'Content-Type', 'Transfer-Encoding'];
  names.push('Authorization', 'Access-Control-Request-Method', 'X', '');
  const values = ['localhost', 'http://localhost', 'null', '', 'chunked', 'evil.com', '\u00ff'];
  values.push('multipart/form-data', '[::1]:1', 'a'.repeat(300));
  for (let run = 0; run < 20_000; run++) {
    const rawHeaders: string[] = [];
    for (let count = random.below(6); count > 0; count--) {
      rawHeaders.push(random.pick(names), random.pick(values));
    }
    const method = random.pick(['GET', 'POST', 'OPTIONS', 'TRACE', '']);
    const admission = gate.admit({ method, url: randomTarget(random), rawHeaders });
    if (admission.kind !== 'refused') continue;
    const { code, status, message } = admission.error;
    assert.match(code, /^[a-z]+(?:-[a-z]+)*$/);
    assert.ok(status >= 400 && status < 500);
    assert.match(message, /^[\x20-\x7e…’]+$/);
  }
});
