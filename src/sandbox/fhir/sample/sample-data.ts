/**
 * The sample data: one practice, four practitioners and 50 made-up patients with their visits. Made
 * by a seeded generator, so that every sandbox shows the same people with the same ids.
 */
import { buildOrderedUuid } from '../ordered-uuid.ts';
import type { Records } from '../records.ts';
import { buildOrganization } from '../resources/organization.ts';
import { buildPatient } from '../resources/patient.ts';
import { buildPractitioner } from '../resources/practitioner.ts';
import { addHistory, type Sample } from './history.ts';
import { buildPerson, phoneNumber } from './people.ts';
import type { Person } from './people.ts';
import { createRandom } from './random.ts';
import type { Random } from './random.ts';
import { buildBody } from './vital-signs.ts';

const SEED = 21;
const PATIENTS = 50;
const PRACTITIONERS = 4;
/** When the practice opened its books, and the last day of the sample. */
const OPENED_MS = Date.UTC(2023, 2, 1, 8);
const LAST_DAY_MS = Date.UTC(2026, 0, 15, 17);
const YEAR_MS = 365.25 * 86_400_000;
/** Real NPIs begin with 1 or 2. */
const NPI_BASE = 9_900_000_000;

/** Fills empty records with the sample. */
export function loadSampleData(records: Records): void {
  const random = createRandom(SEED);
  const createId = (createdAtMs: number): string =>
    buildOrderedUuid(createdAtMs + random.next(), random.next);
  const organizationId = addPractice(records, createId);
  const practitionerIds = Array.from({ length: PRACTITIONERS }, (_, index) =>
    addPractitioner(records, random, createId, index + 1),
  );
  const sample: Sample = {
    random,
    records,
    organizationId,
    practitionerIds,
    lastDayMs: LAST_DAY_MS,
    createId,
  };
  const names = new Set<string>();
  for (let number = 1; number <= PATIENTS; number += 1) addPatient(sample, number, names);
}

function addPractice(records: Records, createId: Sample['createId']): string {
  const id = createId(OPENED_MS);
  records.put(
    buildOrganization({
      id,
      lastUpdatedMs: OPENED_MS,
      name: 'Example Family Practice',
      npi: String(NPI_BASE),
      phone: phoneNumber(99),
      email: 'office@example.org',
      address: {
        street: '1 Example Avenue',
        city: 'Springvale',
        state: 'MA',
        postalCode: '01199',
        country: 'US',
      },
    }),
  );
  return id;
}

function addPractitioner(
  records: Records,
  random: Random,
  createId: Sample['createId'],
  number: number,
): string {
  const { given, family, address } = buildPerson(random, number);
  const id = createId(OPENED_MS);
  records.put(
    buildPractitioner({
      id,
      lastUpdatedMs: OPENED_MS,
      npi: String(NPI_BASE + number),
      family,
      given,
      title: 'Dr.',
      phoneWork: phoneNumber(99 - number),
      email: `doctor${number}@example.org`,
      address,
    }),
  );
  return id;
}

/** @param names full names so far; no two patients share one */
function addPatient(sample: Sample, number: number, names: Set<string>): void {
  const { random } = sample;
  let person = buildPerson(random, number);
  while (names.has(fullName(person))) person = buildPerson(random, number);
  names.add(fullName(person));
  const age = random.integer(1, 89);
  const bornMs = LAST_DAY_MS - (age + random.next()) * YEAR_MS;
  const registeredMs = Math.max(OPENED_MS + number * 86_400_000, bornMs + YEAR_MS / 4);
  const id = sample.createId(registeredMs);
  const { phone, ...rest } = person;
  sample.records.put(
    buildPatient({
      ...rest,
      id,
      lastUpdatedMs: registeredMs,
      publicId: String(number),
      birthDate: new Date(bornMs).toISOString().slice(0, 10),
      ...(random.chance(0.5) ? { phoneHome: phone } : { phoneMobile: phone }),
    }),
  );
  addHistory(sample, { id, age, registeredMs, body: buildBody(random, person.gender, age) });
}

function fullName({ given, family }: Person): string {
  return `${given[0]} ${family}`;
}
