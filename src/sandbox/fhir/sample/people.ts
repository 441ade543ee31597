/**
 * Made-up people: who lives where, and how to reach them. Surnames are invented, telephone numbers
 * are of the range kept for fiction, mail addresses of the domain kept for examples.
 */
import { CODE_SYSTEM } from '../resource.ts';
import type { Code, PostalAddress } from '../resource.ts';
import type { Random } from './random.ts';

const GIVEN_NAMES = {
  female: words(
    'Ada Amara Beatriz Chiyo Della Esperanza Fatima Greta Hazel Imani Juniper Keiko Lucinda',
    'Mei Noor Odette Priya Rosalind Saskia Tallulah Una Violet Winifred Yara Zoë',
  ),
  male: words(
    'Abel Bastian Caspian Darnell Emeka Felix Gideon Hiro Ignacio Jasper Kofi Leopold Mateo',
    'Nikolai Omar Percival Quincy Rafael Silas Tomás Ulric Vikram Wendell Xavier Zeke',
  ),
};

const SURNAMES = words(
  'Applewhistle Birchwhittle Brambleforth Cobbleworth Dandelight Elderflint Fennelwick Foxmeadow',
  "Goldenmarsh Hollowbrook Inkberry Juniperson Kettlebright Larksong Mossgather Nettlebee O'Thistle",
  'Oakenfold Pebblesworth Quillfeather Rainharrow Silverbarley Thimblewood Underlark Velvetmoor',
  'Willowmere Yarrowby Zephyrhill',
);

const STREETS = [
  'Acorn Lane',
  'Bluebell Court',
  'Clover Street',
  'Driftwood Road',
  'Example Avenue',
  'Fable Way',
];

const TOWNS: readonly PostalAddress[] = [
  { city: 'Springvale', state: 'MA', postalCode: '01199' },
  { city: 'Maple Hollow', state: 'VT', postalCode: '05099' },
  { city: 'Port Fiction', state: 'ME', postalCode: '04099' },
  { city: 'Lower Sample', state: 'NH', postalCode: '03099' },
];

const RACES: readonly Code[] = [
  { system: CODE_SYSTEM.raceAndEthnicity, code: '2106-3', display: 'White' },
  { system: CODE_SYSTEM.raceAndEthnicity, code: '2054-5', display: 'Black or African American' },
  { system: CODE_SYSTEM.raceAndEthnicity, code: '2028-9', display: 'Asian' },
  {
    system: CODE_SYSTEM.raceAndEthnicity,
    code: '1002-5',
    display: 'American Indian or Alaska Native',
  },
];

const ETHNICITIES: readonly Code[] = [
  { system: CODE_SYSTEM.raceAndEthnicity, code: '2186-5', display: 'Not Hispanic or Latino' },
  { system: CODE_SYSTEM.raceAndEthnicity, code: '2135-2', display: 'Hispanic or Latino' },
];

const LANGUAGES: readonly Code[] = [
  { system: CODE_SYSTEM.language, code: 'en', display: 'English' },
  { system: CODE_SYSTEM.language, code: 'es', display: 'Spanish' },
];

/** A person, before anything is known of their health. */
export interface Person {
  gender: 'female' | 'male';
  given: readonly string[];
  family: string;
  phone: string;
  email: string;
  address: PostalAddress;
  race: Code;
  ethnicity: Code;
  language: Code;
}

/** @param number counts people from 1, so that no two share a mail address or a telephone number */
export function buildPerson(random: Random, number: number): Person {
  const gender = random.pick(['female', 'male'] as const);
  const first = random.pick(GIVEN_NAMES[gender]);
  const middle = random.chance(0.3) ? [random.pick(GIVEN_NAMES[gender])] : [];
  const family = random.pick(SURNAMES);
  return {
    gender,
    given: [first, ...middle.filter((name) => name !== first)],
    family,
    phone: phoneNumber(number),
    email: `${mailName(first)}.${mailName(family)}.${number}@example.org`,
    address: { street: `${random.integer(1, 240)} ${random.pick(STREETS)}`, ...random.pick(TOWNS) },
    race: random.pick(RACES),
    ethnicity: random.pick(ETHNICITIES),
    language: random.pick(LANGUAGES),
  };
}

/** A telephone number of the range 555-0100 to 555-0199, which is never given to anyone. */
export function phoneNumber(number: number): string {
  return `(555) 555-01${String(number % 100).padStart(2, '0')}`;
}

function mailName(name: string): string {
  return name
    .normalize('NFD')
    .replaceAll(/[^A-Za-z]/g, '')
    .toLowerCase();
}

function words(...lines: string[]): readonly string[] {
  return lines.flatMap((line) => line.split(' '));
}
