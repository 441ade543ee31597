import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import type { Resource } from '../../src/sandbox/fhir/resource.ts';
import { buildPatient } from '../../src/sandbox/fhir/resources/patient.ts';
import { startSandbox } from '../../src/sandbox/index.ts';
import type { Sandbox } from '../../src/sandbox/index.ts';
import { requestToken, startFhirSandbox } from '../support/sandbox-fhir.ts';
import type { FhirSandbox } from '../support/sandbox-fhir.ts';

interface Bundle {
  resourceType: string;
  type: string;
  total: number;
  link: { relation: string; url: string }[];
  entry?: { fullUrl: string; resource: Resource }[];
}

const readLog = (path: string): string => readFileSync(path, 'utf8');
const EXPORT_FIELDS = { Accept: 'application/fhir+json', Prefer: 'respond-async' };

/** Text of a resource, for predicates that need not follow its structure. */
const text = (resource: Resource): string => JSON.stringify(resource);
const birthDate = ({ birthDate: date }: Resource): string => (typeof date === 'string' ? date : '');
const name = (resource: Resource): string => JSON.stringify(resource.name);

/** Searches, and another way to decide whether a resource is in the result. */
const SEARCHES: readonly [path: string, matches: (resource: Resource) => boolean][] = [
  ['/Patient?gender=female', (r) => r.gender === 'female'],
  ['/Patient?gender=FEMALE', (r) => r.gender === 'female'],
  ['/Patient?gender=male,female', () => true],
  ['/Patient?family=w', (r) => /"family":"W/.test(name(r))],
  ['/Patient?given=zoe', (r) => name(r).includes('Zoë')],
  ['/Patient?given=Zo%C3%AB', (r) => name(r).includes('Zoë')],
  ['/Patient?name=to', (r) => /"T(?:o|ó)/.test(name(r))],
  ['/Patient?family:contains=meadow', (r) => name(r).includes('meadow')],
  ['/Patient?family:exact=foxmeadow', () => false],
  ['/Patient?address-state=VT', (r) => text(r).includes('"state":"VT"')],
  ['/Patient?address-city=Port%20Fiction', (r) => text(r).includes('Port Fiction')],
  ['/Patient?identifier=7', (r) => text(r).includes('"value":"7"')],
  [
    '/Patient?identifier=http://terminology.hl7.org/CodeSystem/v2-0203%7C7',
    (r) => text(r).includes('"value":"7"'),
  ],
  ['/Patient?identifier=urn:other%7C7', () => false],
  ['/Patient?birthdate=1960', (r) => birthDate(r).startsWith('1960')],
  ['/Patient?birthdate=eq1960', (r) => birthDate(r).startsWith('1960')],
  ['/Patient?birthdate=ne1960', (r) => !birthDate(r).startsWith('1960')],
  ['/Patient?birthdate=gt1960', (r) => birthDate(r) >= '1961'],
  ['/Patient?birthdate=sa1960', (r) => birthDate(r) >= '1961'],
  ['/Patient?birthdate=ge1960', (r) => birthDate(r) >= '1960'],
  ['/Patient?birthdate=lt1960', (r) => birthDate(r) < '1960'],
  ['/Patient?birthdate=eb1960', (r) => birthDate(r) < '1960'],
  ['/Patient?birthdate=le1960-06', (r) => birthDate(r) < '1960-07'],
  [
    '/Patient?gender=female&birthdate=lt1960',
    (r) => r.gender === 'female' && birthDate(r) < '1960',
  ],
  ['/Patient?family=nobody&family=w', (r) => /"family":"W/.test(name(r))],
  ['/Patient?family=', () => true],
  ['/Patient?_lastUpdated=ge2023-04-01T00:00:00Z', (r) => r.meta.lastUpdated >= '2023-04-01'],
  ['/Patient?email:missing=true', () => false],
  ['/Patient?_revinclude=Provenance:target', () => true],
  ['/Observation?category=laboratory', (r) => text(r).includes('"code":"laboratory"')],
  [
    '/Observation?category=http://terminology.hl7.org/CodeSystem/observation-category%7Cvital-signs',
    (r) => text(r).includes('"code":"vital-signs"'),
  ],
  ['/Observation?code=http://loinc.org%7C4548-4', (r) => text(r).includes('"code":"4548-4"')],
  ['/Observation?code=8867-4,9279-1', (r) => /"code":"(?:8867-4|9279-1)"/.test(text(r))],
  [
    '/Observation?date=ge2025-06-01',
    (r) => /"effectiveDateTime":"(?:2025-(?:0[6-9]|1)|2026)/.test(text(r)),
  ],
  [
    '/Encounter?date=lt2025',
    (r) =>
      text(r).includes('"period":{"start":"2023') || text(r).includes('"period":{"start":"2024'),
  ],
  ['/MedicationRequest?status=active', (r) => r.status === 'active'],
  ['/MedicationRequest?intent=plan', () => false],
  ['/DocumentReference?type=34109-9', () => true],
  ['/Practitioner?active=true', () => true],
  ['/Organization?name=example', () => true],
];

/** Shared by the tests that leave the data as they are. */
let shared: FhirSandbox;
before(async () => {
  shared = await startFhirSandbox({ readLog });
});
after(() => shared.sandbox.close());

describe('search', () => {
  test('finds exactly what the parameters ask for', async () => {
    const { ask, sandbox } = shared;
    let selective = 0;
    for (const [path, matches] of SEARCHES) {
      const type = /^\/(\w+)/.exec(path)?.[1] ?? '';
      const all = sandbox.state.records.list(type);
      const found = all.filter(matches).length;
      if (found > 0 && found < all.length) selective += 1;
      const answer = await ask(path);
      assert.equal(answer.status, 200, path);
      assert.deepEqual(
        ids(answer.json() as Bundle),
        all.filter(matches).map(({ id }) => id),
        path,
      );
    }
    assert.ok(selective >= 28, 'most searches find some and not all');
  });

  test('puts what it found into a collection that links the path alone', async () => {
    const { ask, sandbox } = shared;
    const answer = await ask('/Patient?gender=female');
    const bundle = answer.json() as Bundle;
    const self = `${sandbox.fhirBase}/Patient`;
    assert.equal(answer.headers.get('content-type'), 'application/json');
    assert.equal(bundle.type, 'collection');
    assert.equal(bundle.total, bundle.entry?.length);
    assert.deepEqual(bundle.link, [{ relation: 'self', url: self }]);
    for (const { fullUrl, resource } of bundle.entry ?? []) {
      assert.equal(fullUrl, `${self}/${resource.id}`);
    }
  });

  test('writes ASCII, whatever the names', async () => {
    const { ask } = shared;
    const { text: body } = await ask('/Patient?given=zoe');
    assert.ok(body.includes('Zo\\u00eb'));
    assert.ok(!/[^\n -~]/.test(body));
  });

  test('pages with _count and _offset, and counts the page as the total', async () => {
    const { ask, sandbox } = shared;
    const all = sandbox.state.records.list('Patient').map(({ id }) => id);
    for (const [query, expected] of [
      ['_count=5', all.slice(0, 5)],
      ['_count=5&_offset=48', all.slice(48)],
      ['_count=5&_offset=500', []],
      ['_count=0', all],
      ['_count=many', all],
      ['_offset=5', all],
    ] as const) {
      const bundle = (await ask(`/Patient?${query}`)).json() as Bundle;
      assert.deepEqual(ids(bundle), expected, query);
      assert.equal(bundle.total, expected.length, query);
      assert.equal(bundle.link.length, 1);
    }
  });

  test('sorts by a parameter of the type, and ignores others', async () => {
    const { ask } = shared;
    const dates = async (order: string): Promise<string[]> =>
      ((await ask(`/Patient?_sort=${order}`)).json() as Bundle).entry?.map(({ resource }) =>
        birthDate(resource),
      ) ?? [];
    const ascending = await dates('birthdate');
    assert.deepEqual(ascending, ascending.toSorted());
    assert.deepEqual(await dates('-birthdate'), ascending.toReversed());
    assert.equal((await dates('nonsense')).length, 50);
  });

  test('takes a parameter that it does not know for one that nothing matches, and logs it', async () => {
    const { ask, newLogText } = shared;
    for (const [path, field, reason] of [
      [
        '/Patient?_summary=count',
        '_summary',
        'This search field does not exist or is not supported',
      ],
      ['/Condition?code=I10', 'code', 'This search field does not exist or is not supported'],
      ['/Patient?birthdate=soon', 'birthdate', 'Date format invalid must match ISO8610'],
      ['/Patient?birthdate=ap1960', 'birthdate', 'Invalid comparator found for value ap1960'],
      ['/Patient?birthdate=1960-01-01T10:00', 'birthdate', 'requires minutes to be specified'],
      ['/Encounter?patient=12', 'patient', 'UUID columns must be a valid UUID string'],
      ['/Patient?_id=12', '_id', 'UUID columns must be a valid UUID string'],
    ] as const) {
      newLogText();
      const answer = await ask(path);
      assert.equal(answer.status, 200, path);
      const bundle = answer.json() as Bundle;
      assert.equal(bundle.total, 0);
      assert.equal(bundle.entry, undefined);
      const line = newLogText();
      assert.match(line, /->getAll\(\) exception thrown \{"message":"The search field argument/);
      assert.ok(line.includes(`Inner message: ${reason}`) || line.includes(reason), line);
      assert.ok(line.includes(`"field":"${field}"`), line);
    }
  });

  test('follows references by id or by type and id, and dies of an absolute one', async () => {
    const { ask, sandbox, newLogText } = shared;
    const { id = '' } = sandbox.state.records.list('Patient')[0] ?? {};
    const expected = sandbox.state.records
      .list('Observation')
      .filter((r) => text(r).includes(`"Patient/${id}"`))
      .map((r) => r.id);
    assert.ok(expected.length > 0);
    for (const reference of [id, `Patient/${id}`, id.toUpperCase()]) {
      const answer = await ask(`/Observation?patient=${reference}`);
      assert.deepEqual(ids(answer.json() as Bundle), expected);
    }
    newLogText();
    const answer = await ask(
      `/Observation?patient=${encodeURIComponent(`${sandbox.fhirBase}/Patient/${id}`)}`,
    );
    assert.equal(answer.status, 500);
    assert.equal(answer.text, '');
    assert.match(newLogText(), /PHP Fatal error: {2}Uncaught TypeError: .*FhirUrlResolver/);
  });

  test('by POST joins query and form, a parameter of both being one with two values', async () => {
    const { ask, sandbox } = shared;
    const post = async (query: string, body: Record<string, string>): Promise<Bundle> => {
      const init = { method: 'POST', body: new URLSearchParams(body) };
      return (await ask(`/Patient/_search${query}`, init)).json() as Bundle;
    };
    const patients = sandbox.state.records.list('Patient');
    const bundle = await post('?gender=female', { birthdate: 'lt1960' });
    assert.deepEqual(
      ids(bundle),
      patients.filter((r) => r.gender === 'female' && birthDate(r) < '1960').map(({ id }) => id),
    );
    const self = `${sandbox.fhirBase}/Patient/_search`;
    assert.equal(bundle.link[0]?.url, self);
    assert.ok(bundle.entry?.every(({ fullUrl }) => fullUrl.startsWith(`${self}/`)));
    assert.equal((await post('?gender=female', { gender: 'male' })).total, 50);
  });

  test('of a type without data is empty, of an unknown type is a 404', async () => {
    const { ask } = shared;
    assert.equal(((await ask('/Location')).json() as Bundle).total, 0);
    const answer = await ask('/Nonsense');
    assert.equal(answer.status, 404);
    assert.equal(answer.text, '');
  });

  test('of more than PHP can hold is an empty 500, with _count it is not', async (t) => {
    const { ask, sandbox, newLogText } = await startFhirSandbox({ t, readLog });
    addPatients(sandbox, 10_012);
    newLogText();
    const answer = await ask('/Patient');
    assert.equal(answer.status, 500);
    assert.equal(answer.text, '');
    assert.match(
      newLogText(),
      /PHP Fatal error: {2}Allowed memory size of 268435456 bytes exhausted/,
    );
    assert.equal(((await ask('/Patient?_count=100')).json() as Bundle).total, 100);
    assert.equal((await ask('/Patient?_count=-1')).status, 500);
  });
});

describe('read', () => {
  test('finds an id in any letter case', async () => {
    const { ask, sandbox } = shared;
    const [patient] = sandbox.state.records.list('Patient');
    assert.ok(patient !== undefined);
    for (const id of [patient.id, patient.id.toUpperCase()]) {
      assert.deepEqual((await ask(`/Patient/${id}`)).json(), JSON.parse(text(patient)));
    }
  });

  test('answers [] for an id that is not there, and validationErrors for one that is not a UUID', async () => {
    const { ask } = shared;
    const missing = await ask(`/Patient/${crypto.randomUUID()}`);
    assert.equal(missing.status, 404);
    assert.equal(missing.text, '[]');
    for (const path of ['/Patient/123', '/Patient/_search', '/Observation/x']) {
      const answer = await ask(path);
      assert.equal(answer.status, 400, path);
      assert.deepEqual(answer.json(), {
        validationErrors: {
          _id: 'The search field argument was invalid, improperly formatted, or could not be parsed.  Inner message: UUID columns must be a valid UUID string',
        },
      });
    }
  });

  test('needs the scope of the type, whatever the id', async () => {
    const { ask, sandbox } = shared;
    const { id = '' } = sandbox.state.records.list('Patient')[0] ?? {};
    const token = await requestToken(sandbox, ['system/Observation.read']);
    const headers = { Authorization: `Bearer ${token}` };
    for (const path of ['/Patient', `/Patient/${id}`, '/Patient/x', '/Patient/$export']) {
      const answer = await ask(path, { headers });
      assert.equal(answer.status, 401, path);
      assert.equal(answer.text, '');
    }
    assert.equal((await ask('/Observation?_count=1', { headers })).status, 200);
    const unrouted = await ask('/Patient/x/y', { headers });
    assert.equal(unrouted.status, 404, 'no route comes before no scope');
  });

  test('of a document leads to its content by an absolute URL', async () => {
    const { ask, sandbox } = shared;
    const { entry = [] } = (await ask('/DocumentReference?_count=1')).json() as Bundle;
    const url = /"url":"([^"]+)"/.exec(text(entry[0]?.resource as Resource))?.[1] ?? '';
    assert.ok(url.startsWith(`${sandbox.fhirBase}/Binary/`));
    const answer = await ask(url.slice(sandbox.fhirBase.length));
    assert.equal(answer.headers.get('content-type'), 'text/plain');
    assert.match(answer.headers.get('content-disposition') ?? '', /^attachment; filename=note-/);
    assert.match(answer.text, /This note is made up/);
  });
});

describe('discovery', () => {
  test('names the origin of the request when there is no site address', async (t) => {
    const { ask, sandbox } = shared;
    const { siteAddress } = sandbox.state.settings;
    t.after(() => Object.assign(sandbox.state.settings, { siteAddress }));
    sandbox.state.settings.siteAddress = '';
    const answer = await ask('/metadata', {
      headers: { 'X-Forwarded-Host': 'a.example, b.example' },
    });
    const { implementation } = answer.json() as { implementation: { url: string } };
    assert.equal(implementation.url, 'http://b.example/apis/default/fhir');
  });

  test('lists every type that is served, and scopes inside a list of their own', async () => {
    const { ask } = shared;
    const { rest, software } = (await ask('/metadata')).json() as {
      rest: { resource: { type: string; searchParam?: { name: string }[] }[] }[];
      software: unknown;
    };
    assert.deepEqual(software, { name: 'OpenEMR', version: '7.0.3' });
    const types = rest[0]?.resource ?? [];
    assert.ok(types.length > 10);
    for (const { type, searchParam } of types) {
      if (searchParam === undefined) continue;
      const answer = await ask(`/${type}?_count=1`);
      assert.ok(answer.status === 200 || answer.status === 401, type);
    }
    const { scopes_supported: scopes } = (await ask('/.well-known/smart-configuration')).json() as {
      scopes_supported: string[][];
    };
    assert.equal(scopes.length, 1);
    assert.ok(scopes[0]?.includes('system/Patient.read'));
  });
});

describe('bulk export', () => {
  test('writes a file for every readable type and deletes them all', async () => {
    const { ask, sandbox } = shared;
    const kickOff = await ask('/Patient/$export?_type=Patient', { headers: EXPORT_FIELDS });
    assert.equal(kickOff.status, 202);
    assert.equal(kickOff.text, '');
    const location = kickOff.headers.get('content-location') ?? '';
    assert.ok(location.startsWith(`${sandbox.fhirBase}/$bulkdata-status?job=`));
    const status = await ask(location.slice(sandbox.fhirBase.length));
    assert.ok(status.text.includes('\\/fhir\\/Binary\\/'), 'slashes are escaped');
    const { output, error, request } = status.json() as {
      output: { type: string; url: string }[];
      error: unknown[];
      request: string;
    };
    assert.equal(request, '/fhir/Patient/$export');
    assert.deepEqual(error, []);
    const readable = sandbox.client.scopes.flatMap(
      (s) => /^system\/(\w+)\.read$/.exec(s)?.[1] ?? [],
    );
    assert.deepEqual(
      output.map(({ type }) => type),
      readable.filter((type) => type !== 'Binary').toSorted(),
    );
    for (const { type, url } of output) {
      const file = await ask(url.slice(sandbox.fhirBase.length));
      assert.equal(file.headers.get('content-type'), 'application/fhir+ndjson');
      const lines = file.text.split('\n').filter((line) => line !== '');
      assert.equal(lines.length, sandbox.state.records.list(type).length, type);
      for (const line of lines) {
        assert.equal((JSON.parse(line) as Resource).resourceType, type);
        assert.ok(!/[^\\]\//.test(line), 'slashes are escaped');
      }
    }
    const path = location.slice(sandbox.fhirBase.length);
    assert.equal((await ask(path, { method: 'DELETE' })).status, 202);
    assert.equal((await ask(path)).status, 400);
    assert.equal((await ask(path, { method: 'DELETE' })).status, 404);
    const gone = await ask(output[0]?.url.slice(sandbox.fhirBase.length) ?? '');
    assert.equal(gone.status, 404);
  });

  test('reads its fields byte by byte', async () => {
    const { ask } = shared;
    for (const [headers, problem] of [
      [{ Accept: 'application/fhir+json' }, "'Prefer' header invalid"],
      [{ Accept: '*/*', Prefer: 'respond-async' }, "'Accept' header invalid"],
      [
        { Accept: 'application/fhir+json, */*', Prefer: 'respond-async' },
        "'Accept' header invalid",
      ],
      [{ Accept: 'application/fhir+json', Prefer: 'Respond-Async' }, "'Prefer' header invalid"],
    ] as const) {
      const answer = await ask('/$export', { headers });
      assert.equal(answer.status, 400);
      const { issue } = answer.json() as { issue: { details: { text: string } }[] };
      assert.equal(issue[0]?.details.text, problem);
    }
  });

  test('obeys type and _since, and refuses a type that the token may not read', async () => {
    const { ask, sandbox } = shared;
    const token = await requestToken(sandbox, [
      'system/Patient.read',
      'system/Encounter.read',
      'system/*.$export',
      'system/*.$bulkdata-status',
    ]);
    const headers = { ...EXPORT_FIELDS, Authorization: `Bearer ${token}` };
    const output = async (query: string): Promise<{ type: string; url: string }[]> => {
      const answer = await ask(`/$export?${query}`, { headers });
      const path = answer.headers.get('content-location')?.slice(sandbox.fhirBase.length) ?? '';
      return ((await ask(path, { headers })).json() as { output: { type: string; url: string }[] })
        .output;
    };
    assert.deepEqual(
      (await output('type=Encounter')).map(({ type }) => type),
      ['Encounter'],
    );
    const since = '2025-06-01T00:00:00Z';
    const changed = await output(`_since=${since}`);
    assert.ok(changed.length > 0);
    for (const { type, url } of changed) {
      const document = sandbox.state.records.findDocument(Number(url.split('/').at(-1)));
      const lines = document?.content.split('\n').filter((line) => line !== '');
      const recent = sandbox.state.records
        .list(type)
        .filter((r) => r.meta.lastUpdated >= '2025-06-01');
      assert.equal(lines?.length, recent.length, type);
    }
    const refused = await ask('/$export?type=Observation', { headers });
    assert.equal(refused.status, 400);
    assert.match(refused.text, /AccessToken does not grant access to resource Observation/);
    assert.equal((await ask('/$export?_since=yesterday', { headers })).status, 500);
  });

  test('of a group takes in its members alone', async () => {
    const { ask, sandbox } = shared;
    const { records } = sandbox.state;
    const [member] = records.list('Patient');
    assert.ok(member !== undefined);
    const id = crypto.randomUUID();
    records.put({
      id,
      resourceType: 'Group',
      meta: member.meta,
      member: [{ entity: { reference: `Patient/${member.id}` } }],
    });
    const answer = await ask(`/Group/${id}/$export?type=Patient,Encounter`, {
      headers: EXPORT_FIELDS,
    });
    assert.equal(answer.status, 202);
    const job = [...sandbox.state.exportJobs.values()].at(-1);
    const [patients, encounters] = job?.files ?? [];
    assert.equal((JSON.parse(patients?.document.content ?? '') as Resource).id, member.id);
    const lines = encounters?.document.content.trim().split('\n') ?? [];
    assert.ok(lines.length > 0 && lines.every((line) => line.includes(member.id)));
  });

  test('shows a job to no other client, and its files for one hour', async (t) => {
    let nowMs = Date.now();
    const { ask, sandbox } = await startFhirSandbox({ t, clock: { now: () => nowMs } });
    const kickOff = await ask('/$export?type=Patient', { headers: EXPORT_FIELDS });
    const path = kickOff.headers.get('content-location')?.slice(sandbox.fhirBase.length) ?? '';
    const [job] = sandbox.state.exportJobs.values();
    assert.ok(job !== undefined);
    job.clientId = 'another';
    assert.equal((await ask(path)).status, 400);
    const [file] = job.files;
    assert.ok(file !== undefined);
    assert.equal((await ask(`/Binary/${file.document.id}`)).status, 200);
    nowMs += 3_600_000;
    assert.equal(file.document.expiresAtMs, nowMs);
    const token = await requestTokenAt(sandbox, nowMs);
    const late = await ask(`/Binary/${file.document.id}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    assert.equal(late.status, 404);
    assert.notEqual(file.document.content, '');
    const headers = { ...EXPORT_FIELDS, Authorization: `Bearer ${token}` };
    assert.equal((await ask('/$export?type=Patient', { headers })).status, 202);
    assert.equal(file.document.content, '', 'the next export lets go of it');
  });

  test('is off with the system scopes', async (t) => {
    const { ask, sandbox } = shared;
    t.after(() => Object.assign(sandbox.state.settings, { systemScopes: true }));
    sandbox.state.settings.systemScopes = false;
    const answer = await ask('/$export', { headers: EXPORT_FIELDS });
    assert.equal(answer.status, 501);
    assert.equal(answer.text, '');
  });
});

test('data of one sandbox is not that of another', async (t) => {
  const second = await startSandbox();
  t.after(() => second.close());
  second.state.records.clear();
  assert.equal(((await shared.ask('/Patient')).json() as Bundle).total, 50);
});

function ids(bundle: Bundle): string[] {
  return (bundle.entry ?? []).map(({ resource }) => resource.id);
}

function addPatients(sandbox: Sandbox, count: number): void {
  for (let number = 1; number <= count; number += 1) {
    sandbox.state.records.put(
      buildPatient({
        id: crypto.randomUUID(),
        lastUpdatedMs: 0,
        publicId: String(number),
        family: 'Many',
        given: ['One'],
        gender: 'unknown',
        birthDate: '2000-01-01',
      }),
    );
  }
}

/** A token from a sandbox whose clock stands at another time than ours. */
function requestTokenAt(sandbox: Sandbox, nowMs: number): Promise<string> {
  return requestToken(sandbox, sandbox.client.scopes, Math.floor(nowMs / 1000));
}
