/** Scopes that OpenEMR 7.0.3 knows, in the order in which it lists them. */
import type { SandboxSettings } from '../../exchange.ts';
import type { ScopeRules } from '../profile.ts';

const GENERAL = words('openid fhirUser online_access offline_access launch launch/patient');
const APIS = words('api:oemr api:fhir api:port');
const SYSTEM_OPERATIONS = words(
  'system/Patient.$export system/Group.$export system/*.$bulkdata-status system/*.$export',
);
const PROFILE = words(
  'profile name address given_name family_name nickname phone phone_verified email email_verified',
);

/** FHIR resource types with a read scope, by context. */
const FHIR_READ = {
  patient: words(
    'AllergyIntolerance Appointment Binary CarePlan CareTeam Condition Coverage Device DiagnosticReport DocumentReference Encounter Goal Immunization Location Medication MedicationRequest Observation Organization Patient Person Practitioner Procedure Provenance',
  ),
  system: words(
    'AllergyIntolerance Appointment Binary CarePlan CareTeam Condition Coverage Device DiagnosticReport DocumentReference Encounter Goal Group Immunization Location Medication MedicationRequest Observation Organization Patient Person Practitioner PractitionerRole Procedure Provenance ValueSet',
  ),
  user: words(
    'AllergyIntolerance Appointment Binary CarePlan CareTeam Condition Coverage Device DiagnosticReport DocumentReference Encounter Goal Immunization Location Medication MedicationRequest Observation Organization Patient Person Practitioner PractitionerRole Procedure Provenance ValueSet',
  ),
};
const FHIR_USER_WRITE = new Set(words('Organization Patient Practitioner'));

/** Scopes of the standard (not FHIR) API: names with `.read`, and `+` where there is a `.write` too; `-`: `.write` alone. */
const STANDARD = {
  patient: words('appointment encounter patient'),
  system: words(
    'allergy+ appointment+ dental_issue+ document+ drug encounter+ facility+ immunization insurance+ insurance_company+ insurance_type list medical_problem+ medication+ message- patient+ practitioner+ prescription procedure soap_note+ surgery+ vital+',
  ),
  user: words(
    'allergy+ appointment+ dental_issue+ document+ drug encounter+ facility+ immunization insurance+ insurance_company+ insurance_type list medical_problem+ medication+ message- patient+ practitioner+ prescription procedure soap_note+ surgery+ transaction+ user vital+',
  ),
};

type Context = keyof typeof FHIR_READ;
const CONTEXTS: readonly Context[] = ['patient', 'system', 'user'];

/** Rules of scopes: a name is known or not, registered or not, granted or not. */
export const SCOPE_RULES: ScopeRules = {
  announced: announcedScopes,
  smart: smartScopes,
  findUnknown(scopes, settings) {
    const list = knownScopes(settings);
    const known = new Set(list);
    // `site:default` and its like need no entry in the list.
    const scope = scopes.find((name) => !known.has(name) && !name.toLowerCase().includes('site:'));
    return scope === undefined ? undefined : { scope, knownScopes: list };
  },
  covers: (registered, asked) => registered.includes(asked),
  permits: (granted, needed) => granted.includes(needed),
  restrictions: () => new Map(),
};

/** As openid-configuration lists them: FHIR's first, then those of the standard API, doubles included. */
function announcedScopes(settings: SandboxSettings): readonly string[] {
  return [
    ...smartScopes(settings),
    'openid',
    ...PROFILE,
    'offline_access',
    ...APIS,
    'site:default',
    ...contexts(settings).flatMap(standardScopes),
  ];
}

/** As smart-configuration lists them: FHIR's alone. */
function smartScopes(settings: SandboxSettings): readonly string[] {
  return [
    ...GENERAL,
    ...APIS,
    ...(settings.systemScopes ? SYSTEM_OPERATIONS : []),
    ...PROFILE,
    'site:default',
    ...contexts(settings).flatMap(fhirScopes),
  ];
}

/** As the scope check knows them. */
function knownScopes(settings: SandboxSettings): readonly string[] {
  return ['nonce', ...new Set(announcedScopes(settings))];
}

function contexts(settings: SandboxSettings): readonly Context[] {
  return CONTEXTS.filter((context) => context !== 'system' || settings.systemScopes);
}

function fhirScopes(context: Context): string[] {
  return FHIR_READ[context].flatMap((type) => [
    ...(type === 'DocumentReference' ? [`${context}/DocumentReference.$docref`] : []),
    `${context}/${type}.read`,
    ...(context === 'user' && FHIR_USER_WRITE.has(type) ? [`user/${type}.write`] : []),
  ]);
}

function standardScopes(context: Context): string[] {
  return STANDARD[context].flatMap((entry) => {
    const name = entry.replace(/[+-]$/, '');
    return [
      ...(entry.endsWith('-') ? [] : [`${context}/${name}.read`]),
      ...(/[+-]$/.test(entry) ? [`${context}/${name}.write`] : []),
    ];
  });
}

function words(text: string): readonly string[] {
  return text.split(' ');
}
