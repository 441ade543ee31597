/** The mix of calls: weights, and what is right for each. */
import type { Random } from '../../support/random.ts';
import type { Call } from './client.ts';

/** A kind of call. */
export interface Kind {
  name: string;
  weight: number;
  /** Whether a new connection is opened for it. */
  fresh?: true;
  build(random: Random, patientIds: readonly string[]): Call;
}

const FHIR = 'application/fhir+json';
const FORM = 'application/x-www-form-urlencoded';
const BIG = Buffer.from(
  JSON.stringify({ resourceType: 'Patient', text: { div: 'x'.repeat(400_000) } }),
);

const OK = [200];

/** Every kind of call. */
const KINDS: readonly Kind[] = [
  {
    name: 'read',
    weight: 30,
    build: (random, ids) => ({
      path: `${route(random)}/Patient/${random.pick(ids)}`,
      expected: OK,
    }),
  },
  {
    name: 'read, fresh connection',
    weight: 8,
    fresh: true,
    build: (random, ids) => ({
      path: `${route(random)}/Patient/${random.pick(ids)}`,
      expected: OK,
    }),
  },
  {
    name: 'search (Bundle)',
    weight: 6,
    build: (random) => ({ path: `${route(random)}/Observation?_count=100`, expected: OK }),
  },
  {
    name: 'search (whole, long)',
    weight: 1,
    build: (random) => ({ path: `${route(random)}/Patient`, expected: OK }),
  },
  {
    name: 'search by form',
    weight: 6,
    build: (random) => ({
      path: `${route(random)}/Patient/_search`,
      method: 'POST',
      type: FORM,
      body: Buffer.from('name=a&_count=3'),
      expected: OK,
    }),
  },
  {
    name: 'update (PUT)',
    weight: 5,
    build: (random, ids) => {
      const id = random.pick(ids);
      const body = Buffer.from(`{"resourceType":"Patient","id":"${id}","gender":"female"}`);
      // The sandbox finds names and more missing, as OpenEMR does: the body has arrived.
      return { path: `/fhir/Patient/${id}`, method: 'PUT', type: FHIR, body, expected: [200, 400] };
    },
  },
  {
    name: 'long body',
    weight: 2,
    build: () => ({
      path: '/fhir/Patient',
      method: 'POST',
      type: FHIR,
      body: BIG,
      expected: [200, 201, 400],
    }),
  },
  {
    name: 'leaves in the body',
    weight: 3,
    fresh: true,
    build: (random) => ({
      path: '/fhir/Patient',
      method: 'POST',
      type: FHIR,
      body: BIG,
      leavesAfterBytes: 1 + random.below(300_000),
      expected: [],
    }),
  },
  {
    name: 'leaves in the answer',
    weight: 3,
    fresh: true,
    build: (random) => ({
      path: `${route(random)}/Observation?_count=100`,
      readsBytes: 1 + random.below(60_000),
      expected: OK,
    }),
  },
  {
    name: 'slow reader',
    weight: 1,
    fresh: true,
    build: (random) => ({
      path: `${route(random)}/Observation?_count=100`,
      pauseMs: 30 + random.below(60),
      expected: OK,
    }),
  },
  { name: 'metadata', weight: 2, build: () => ({ path: '/fhir/metadata', expected: OK }) },
  {
    name: 'not there',
    weight: 2,
    build: (random) => ({ path: `${route(random)}/Patient/none`, expected: [400, 404] }),
  },
  {
    name: 'refused by the gate',
    weight: 4,
    build: (random) => ({
      path: random.pick(['/fhir/../api/patient', '/read/Encounter', '/fhir/%2e%2e/x', '/nowhere']),
      expected: [400, 403, 404],
    }),
  },
  {
    name: 'own paths',
    weight: 3,
    build: (random) => ({
      path: `/_proxy/${random.pick(['livez', 'readyz', 'metrics', 'exchanges', 'overview', 'status'])}`,
      expected: OK,
    }),
  },
];

const TOTAL = KINDS.reduce((sum, { weight }) => sum + weight, 0);

/** One of the kinds, by weight. */
export function pickKind(random: Random): Kind {
  let at = random.below(TOTAL);
  for (const kind of KINDS) {
    at -= kind.weight;
    if (at < 0) return kind;
  }
  throw new Error('weights that do not add up');
}

function route(random: Random): string {
  return random.chance(0.7) ? '/fhir' : '/read';
}
