/** Create and update, of the three types that OpenEMR's FHIR API writes. */
import type { SandboxAnswer } from '../exchange.ts';
import { refuseApi } from '../refusal.ts';
import { answerJson, present } from './call.ts';
import type { FhirCall } from './call.ts';
import { buildOrderedUuid } from './ordered-uuid.ts';
import type { ResourceType } from './resource-types.ts';
import type { Json, JsonObject, Resource } from './resource.ts';
import { buildOrganization, parseOrganization } from './resources/organization.ts';
import { asObject, asString } from './resources/parse.ts';
import { buildPatient, parsePatient } from './resources/patient.ts';
import { buildPractitioner, parsePractitioner } from './resources/practitioner.ts';

/** Messages by column and rule, as OpenEMR's validators give them. */
export type ValidationErrors = Readonly<Record<string, Readonly<Record<string, string>>>>;

interface Writer {
  /** Columns that a row must have, with the words for them; rows are checked after the body is read. */
  required: readonly {
    member: string;
    column: string;
    label: string;
    rule: 'present' | 'filled';
  }[];
  /** Name of the number that a create answers beside the UUID. */
  numberName: string;
  parse(resource: JsonObject): object;
  build(row: object, identity: { id: string; lastUpdatedMs: number; number: number }): Resource;
}

const NAME_COLUMNS: Writer['required'] = [
  { member: 'given', column: 'fname', label: 'fname', rule: 'present' },
  { member: 'family', column: 'lname', label: 'lname', rule: 'present' },
];

const WRITERS: Readonly<Record<string, Writer>> = {
  Patient: {
    required: [
      ...NAME_COLUMNS,
      { member: 'gender', column: 'sex', label: 'Gender', rule: 'filled' },
      { member: 'birthDate', column: 'DOB', label: 'Date of Birth', rule: 'filled' },
    ],
    numberName: 'pid',
    parse: parsePatient,
    build: (row, { id, lastUpdatedMs, number }) =>
      buildPatient({
        publicId: String(number),
        family: '',
        given: [],
        gender: 'unknown',
        birthDate: '',
        ...row,
        id,
        lastUpdatedMs,
      }),
  },
  Practitioner: {
    required: [...NAME_COLUMNS, { member: 'npi', column: 'npi', label: 'npi', rule: 'present' }],
    numberName: 'id',
    parse: parsePractitioner,
    build: (row, { id, lastUpdatedMs }) =>
      buildPractitioner({ family: '', given: [], npi: '', ...row, id, lastUpdatedMs }),
  },
  Organization: {
    required: [{ member: 'name', column: 'name', label: 'name', rule: 'present' }],
    numberName: 'id',
    parse: parseOrganization,
    build: (row, { id, lastUpdatedMs }) =>
      buildOrganization({ name: '', ...row, id, lastUpdatedMs }),
  },
};

/** `POST /Patient`. Answers the new row's number and UUID, without a Location field. */
export function answerCreate(call: FhirCall, type: ResourceType): SandboxAnswer {
  const { request, state, nowMs } = call;
  const posted = parseBody(request.body);
  if (posted === undefined) return refuseApi(request, state, 'body-invalid');
  const writer = writerOf(type);
  const row = writer.parse(posted);
  const errors = validate(writer, row);
  if (errors !== undefined) return refuseApi(request, state, 'row-invalid', { errors });
  const number = state.records.list(type.name).length + 1;
  const id = buildOrderedUuid(nowMs, Math.random);
  state.records.put(writer.build(row, { id, lastUpdatedMs: nowMs, number }));
  return answerJson(call, { [writer.numberName]: number, uuid: id }, 'resource', 201);
}

/** `PUT /Patient/:uuid`. What the body does not name stays. */
export function answerUpdate(call: FhirCall, type: ResourceType): SandboxAnswer {
  const { request, state, route, nowMs } = call;
  const posted = parseBody(request.body);
  if (posted === undefined) return refuseApi(request, state, 'body-invalid');
  const stored = state.records.find(type.name, route.parameter ?? '');
  if (stored === undefined) return refuseApi(request, state, 'resource-missing');
  const writer = writerOf(type);
  const row = { ...writer.parse(stored), ...writer.parse(posted) };
  const updated = writer.build(row, { id: stored.id, lastUpdatedMs: nowMs, number: 0 });
  state.records.put(updated);
  return answerJson(call, present(call, updated), 'resource');
}

function writerOf(type: ResourceType): Writer {
  const writer = WRITERS[type.name];
  if (writer === undefined) throw new TypeError(`no way to write a "${type.name}"`);
  return writer;
}

/** The posted resource, or undefined when the body is no JSON object that names its type. */
function parseBody(body: Buffer): JsonObject | undefined {
  let value: Json;
  try {
    value = JSON.parse(body.toString('utf8')) as Json;
  } catch {
    return undefined;
  }
  const resource = asObject(value);
  return asString(resource.resourceType) === undefined ? undefined : resource;
}

function validate({ required }: Writer, row: object): ValidationErrors | undefined {
  const errors = required
    .filter(({ member }) => !Object.hasOwn(row, member))
    .map(({ column, label, rule }) => [
      column,
      rule === 'present'
        ? { 'Required::NON_EXISTENT_KEY': `${label} must be provided, but does not exist` }
        : { 'NotEmpty::EMPTY_VALUE': `${label} must not be empty` },
    ]);
  return errors.length === 0 ? undefined : Object.fromEntries(errors);
}
