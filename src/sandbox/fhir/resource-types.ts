/**
 * The resource types of OpenEMR's FHIR API: what its CapabilityStatement says of them, which is also
 * what the routes and the search follow. Types that the sample has no data of are searched and read
 * like the others and come back empty, as in an OpenEMR that holds none.
 */

/** How the values of a search parameter are compared (FHIR R4, Search). */
export type SearchParameterType = 'token' | 'string' | 'date' | 'reference';

/** One resource type. */
export interface ResourceType {
  name: string;
  /** Names below `http://hl7.org/fhir/us/core/StructureDefinition/`, or whole URLs. */
  supportedProfiles: readonly string[];
  /** As the CapabilityStatement lists them, in its order. */
  interactions: readonly string[];
  /** Search parameters by name, in order; empty for a type that cannot be searched. */
  search: ReadonlyMap<string, SearchParameterType>;
  /** Whether `_revinclude=Provenance:target` is announced. */
  provenance: boolean;
  operations: readonly { name: string; definition: string }[];
  /** PHP class that the error log blames for a bad search, below `OpenEMR\Services\FHIR\`. */
  service: string;
}

const BULK_DATA = 'http://hl7.org/fhir/uv/bulkdata/OperationDefinition';
const R4 = 'http://hl7.org/fhir/StructureDefinition';
const SEARCH_AND_READ = ['search-type', 'read'];
const ADDRESS = 'address:string address-city:string address-postalcode:string address-state:string';
const CONTACT = 'email:token phone:token telecom:token';

/** Every type in the order of the CapabilityStatement. */
export const RESOURCE_TYPES: readonly ResourceType[] = [
  type('AllergyIntolerance', 'us-core-allergyintolerance', 'patient:reference _id:token'),
  type('Appointment', '', 'patient:reference _id:token date:date'),
  type('CarePlan', 'us-core-careplan', 'patient:reference category:token _id:token'),
  type('CareTeam', 'us-core-careteam', 'patient:reference status:token _id:token'),
  type('Condition', 'us-core-condition', 'patient:reference _id:token'),
  type('Coverage', '', 'patient:reference payor:token _id:token'),
  type('Device', 'us-core-implantable-device', 'patient:reference _id:token'),
  type(
    'DiagnosticReport',
    'us-core-diagnosticreport-note us-core-diagnosticreport-lab',
    'patient:reference code:token category:token date:date _id:token',
    { service: 'DiagnosticReport\\FhirDiagnosticReportClinicalNotesService' },
  ),
  type(
    'DocumentReference',
    'us-core-documentreference',
    'patient:reference type:token category:token date:date _id:token',
    {
      interactions: ['search-type', 'create', 'read'],
      operations: [
        {
          name: '$docref',
          definition: 'http://hl7.org/fhir/us/core/OperationDefinition/docref',
        },
      ],
      service: 'DocumentReference\\FhirClinicalNotesService',
    },
  ),
  type('Binary', '', '', { interactions: ['read'] }),
  type('Encounter', 'us-core-encounter', '_id:token patient:reference date:date'),
  type('Goal', 'us-core-goal', 'patient:reference _id:token'),
  type('Group', '', 'patient:reference _id:token', {
    operations: [{ name: 'export', definition: `${BULK_DATA}/group-export` }],
    service: 'Group\\FhirPatientProviderGroupService',
  }),
  type('Immunization', 'us-core-immunization', 'patient:reference _id:token'),
  type('Location', 'us-core-location', '_id:token'),
  type('Medication', 'us-core-medication', '_id:token'),
  type(
    'MedicationRequest',
    'us-core-medicationrequest',
    'patient:reference intent:token status:token _id:token',
  ),
  type(
    'Observation',
    [
      'http://hl7.org/fhir/R4/observation-vitalsigns',
      'us-core-observation-lab pediatric-bmi-for-age pediatric-weight-for-height',
      'us-core-pulse-oximetry us-core-smokingstatus',
      ...['bp', 'bodyheight', 'bodyweight', 'heartrate', 'resprate', 'bodytemp'].map(
        (name) => `${R4}/${name}`,
      ),
      'head-occipital-frontal-circumference-percentile',
    ].join(' '),
    'patient:reference code:token category:token date:date _id:token',
    { service: 'Observation\\FhirObservationSocialHistoryService' },
  ),
  type('Organization', 'us-core-organization', `_id:token ${CONTACT} ${ADDRESS} name:string`, {
    interactions: ['search-type', 'read', 'create', 'update'],
    service: 'Organization\\FhirOrganizationFacilityService',
  }),
  type(
    'Patient',
    'us-core-patient',
    `_id:token identifier:token name:string birthdate:date gender:token ${ADDRESS} email:token family:string given:string phone:token telecom:token _lastUpdated:date generalPractitioner:reference`,
    {
      interactions: ['create', 'update', 'search-type', 'read'],
      operations: [{ name: 'export', definition: `${BULK_DATA}/patient-export` }],
    },
  ),
  type(
    'Person',
    '',
    `active:token ${CONTACT} ${ADDRESS} family:string given:string name:string _id:token`,
  ),
  type(
    'Practitioner',
    'us-core-practitioner',
    `_id:token active:token ${CONTACT} ${ADDRESS} family:string given:string name:string`,
    { interactions: ['search-type', 'read', 'create', 'update'] },
  ),
  type(
    'PractitionerRole',
    'us-core-practitionerrole',
    'specialty:token practitioner:string _id:token',
  ),
  type('Procedure', 'us-core-procedure', 'patient:reference date:date _id:token'),
  type('Provenance', 'us-core-provenance', '_id:token', {
    interactions: ['read', 'search-type'],
    withoutLastUpdated: true,
  }),
  type('ValueSet', `${R4}/shareablevalueset`, '_id:token'),
];

const BY_NAME = new Map(RESOURCE_TYPES.map((entry) => [entry.name, entry]));

/** The type of that name, or undefined. */
export function findResourceType(name: string): ResourceType | undefined {
  return BY_NAME.get(name);
}

/**
 * @param profiles space-separated
 * @param search space-separated `name:type`; `_lastUpdated` follows unless it is placed or left out
 */
function type(
  name: string,
  profiles: string,
  search: string,
  rest: {
    interactions?: readonly string[];
    operations?: ResourceType['operations'];
    service?: string;
    withoutLastUpdated?: boolean;
  } = {},
): ResourceType {
  const parameters = search.split(' ').filter((part) => part !== '');
  const lastUpdated = '_lastUpdated:date';
  const complete =
    rest.withoutLastUpdated === true || search === '' || search.includes(lastUpdated)
      ? parameters
      : [...parameters, lastUpdated];
  return {
    name,
    supportedProfiles: profiles.split(' ').filter((part) => part !== ''),
    interactions: rest.interactions ?? SEARCH_AND_READ,
    search: new Map(
      complete.map((part) => {
        const [parameter = '', kind = 'token'] = part.split(':');
        return [parameter, kind as SearchParameterType];
      }),
    ),
    // OpenEMR announces it for the types that have a US Core profile.
    provenance: profiles !== '',
    operations: rest.operations ?? [],
    service: rest.service ?? `Fhir${name}Service`,
  };
}
