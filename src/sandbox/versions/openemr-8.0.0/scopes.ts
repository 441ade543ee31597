/**
 * Scopes of OpenEMR 8.0.0: those of SMART v1 and v2 stand for the same permissions, and a scope is
 * known, registered or granted when a listed one contains it.
 */
import type { SandboxSettings } from '../../exchange.ts';
import type { ScopeRules, UnknownScope } from '../profile.ts';

const GENERAL = words(
  'openid profile name address given_name family_name nickname phone phone_verified email email_verified offline_access api:oemr api:fhir api:port fhirUser online_access launch launch/patient',
);
const SYSTEM_OPERATIONS = words(
  'system/Patient.$export system/Group.$export system/*.$bulkdata-status system/*.$export',
);

/** FHIR resource types with a scope in v1 spelling. */
const V1_TYPES = words(
  'AllergyIntolerance Appointment CarePlan CareTeam Condition Coverage Device DiagnosticReport DocumentReference Binary Encounter Goal Group Immunization Location Medication MedicationRequest Observation Organization Patient Person Practitioner PractitionerRole Procedure Provenance ValueSet OperationDefinition',
);
const V1_WRITES = words('user/Patient.write user/Practitioner.write user/Organization.write');

/** FHIR resource types with a scope in v2 spelling. */
const V2_TYPES = words(
  'AllergyIntolerance CarePlan CareTeam Condition Coverage Device DiagnosticReport DocumentReference Encounter Goal Immunization Media MedicationDispense MedicationRequest Observation Organization Patient Practitioner PractitionerRole Procedure Provenance Questionnaire QuestionnaireResponse RelatedPerson ServiceRequest Specimen',
);
const TERMINOLOGY = 'http://terminology.hl7.org';
const US_CORE = 'http://hl7.org/fhir/us/core/CodeSystem';
const GRANULAR = [
  `Condition.rs?category=${US_CORE}/condition-category|health-concern`,
  `Condition.rs?category=${TERMINOLOGY}/CodeSystem/condition-category|encounter-diagnosis`,
  `Condition.rs?category=${TERMINOLOGY}/CodeSystem/condition-category|problem-list-item`,
  `Observation.rs?category=${US_CORE}/us-core-category|sdoh`,
  `Observation.rs?category=${TERMINOLOGY}//CodeSystem-observation-category|social-history`,
  `Observation.rs?category=${TERMINOLOGY}/CodeSystem/observation-category|laboratory`,
  `Observation.rs?category=${TERMINOLOGY}/CodeSystem/observation-category|survey`,
  `Observation.rs?category=${TERMINOLOGY}/CodeSystem/observation-category|vital-signs`,
  `DocumentReference.rs?category=${US_CORE}/us-core-documentreference-category|clinical-note`,
];

/** Scopes of the standard (not FHIR) API, in both spellings. */
const STANDARD = words(
  'patient/patient.read patient/appointment.read patient/encounter.read user/allergy.read user/allergy.write user/appointment.read user/appointment.write user/dental_issue.read user/dental_issue.write user/document.read user/document.write user/drug.read user/employer.read user/encounter.read user/encounter.write user/facility.read user/facility.write user/immunization.read user/insurance.read user/insurance.write user/insurance_company.read user/insurance_company.write user/insurance_type.read user/list.read user/medical_problem.read user/medical_problem.write user/medication.read user/medication.write user/message.write user/patient.read user/patient.write user/practitioner.read user/practitioner.write user/prescription.read user/procedure.read user/product.read user/soap_note.read user/soap_note.write user/surgery.read user/surgery.write user/transaction.read user/transaction.write user/user.read user/version.read user/vital.read user/vital.write user/allergy.cruds user/appointment.cruds user/dental_issue.cruds user/document.crs user/drug.rs user/employer.s user/encounter.crus user/facility.crus user/immunization.rs user/insurance.crus user/insurance_company.crus user/insurance_type.s user/list.r user/medical_problem.cruds user/medication.cruds user/message.cud user/patient.crus user/practitioner.crus user/prescription.rs user/procedure.rs user/product.s user/soap_note.crus user/surgery.cruds user/transaction.cuds user/user.rs user/version.s user/vital.crus user/insurance.$swap-insurance patient/patient.s patient/encounter.rs patient/appointment.rs',
);

/** Rules of scopes. */
export const SCOPE_RULES: ScopeRules = {
  announced: (settings) => listScopes(settings.systemScopes ? SYSTEM_CONTEXTS : CONTEXTS),
  // Those of system clients are missing here, whatever the settings.
  smart: () => listScopes(CONTEXTS),
  findUnknown,
  covers: (registered, asked) => registered.some((scope) => contains(scope, asked)),
  permits: (granted, needed) => granted.some((scope) => contains(scope, needed)),
  restrictions,
};

const CONTEXTS = ['patient', 'user'];
const SYSTEM_CONTEXTS = ['patient', 'user', 'system'];

function listScopes(contexts: readonly string[]): readonly string[] {
  const each = (rests: readonly string[]): string[] =>
    rests.flatMap((rest) => contexts.map((context) => `${context}/${rest}`));
  return [
    ...GENERAL,
    ...(contexts.includes('system') ? SYSTEM_OPERATIONS : []),
    ...each(V1_TYPES.map((type) => `${type}.read`)),
    ...V1_WRITES,
    ...each(['DocumentReference.$docref']),
    ...each(V2_TYPES.map((type) => `${type}.rs`)),
    ...each(GRANULAR),
    ...STANDARD,
  ];
}

/** Of a scope of resources: what it is for, and what it lets one do. */
interface ResourceScope {
  /** Context and type, such as `system/Patient`. */
  subject: string;
  /** With its `$`; undefined when it is for interactions. */
  operation?: string;
  /** Some of `cruds`; empty for an operation. */
  letters: string;
  /** Search parameters that it is restricted to, as a query; empty for none. */
  restriction: string;
}

const RESOURCE_SCOPE =
  /^((?:patient|user|system)\/[A-Za-z_*-]+)\.(\$[A-Za-z-]+|[^?]+)(?:\?(.*))?$/s;
const V1_LETTERS: Readonly<Record<string, string>> = { read: 'rs', write: 'cud' };

/** @returns undefined for a scope of another kind, a text for a spelling that OpenEMR does not take */
function parse(scope: string): ResourceScope | string | undefined {
  const match = RESOURCE_SCOPE.exec(scope);
  if (match === null) return undefined;
  const [, subject = '', permission = '', restriction = ''] = match;
  if (permission.startsWith('$')) {
    return { subject, operation: permission, letters: '', restriction };
  }
  const letters = V1_LETTERS[permission] ?? permission;
  if (!/^c?r?u?d?s?$/.test(letters)) {
    return `Invalid permission string: ${scope.slice(subject.length + 1)}`;
  }
  return { subject, letters, restriction };
}

/**
 * Whether a scope lets one do what another one asks for. What reads and searches, or creates, updates
 * and deletes, is contained in every scope of the same type: that is how a client with `.read` is
 * given `.write`.
 */
function contains(scope: string, asked: string): boolean {
  if (scope === asked) return true;
  const [has, wants] = [parse(scope), parse(asked)];
  if (typeof has !== 'object' || typeof wants !== 'object') return false;
  if (has.subject !== wants.subject || has.operation !== wants.operation) return false;
  if (/^c?ru?d?s$|^cr?uds?$/.test(wants.letters)) return true;
  return wants.letters.split('').every((letter) => has.letters.includes(letter));
}

function findUnknown(
  scopes: readonly string[],
  settings: SandboxSettings,
): UnknownScope | undefined {
  const known = SCOPE_RULES.announced(settings);
  for (const scope of scopes) {
    if (scope === '') return { scope, problem: 'Invalid scope format: ' };
    const problem = parse(scope);
    if (typeof problem === 'string') return { scope, problem };
    if (!known.some((each) => contains(each, scope))) return { scope };
  }
  return undefined;
}

/** Of granular scopes: nothing, when one without a restriction lets the same through. */
function restrictions(
  granted: readonly string[],
  needed: string,
): ReadonlyMap<string, readonly string[]> {
  const queries = granted
    .filter((scope) => contains(scope, needed))
    .map((scope) => scope.split('?', 2)[1] ?? '');
  const values = new Map<string, string[]>();
  if (queries.includes('')) return values;
  for (const query of queries) {
    for (const [name, value] of new URLSearchParams(query)) {
      values.set(name, [...(values.get(name) ?? []), value]);
    }
  }
  return values;
}

function words(text: string): readonly string[] {
  return text.split(' ');
}
