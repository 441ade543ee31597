/** The resource types of OpenEMR 7.0.3. */
import { defineType, type ResourceType } from '../../fhir/resource-types.ts';

const BULK_DATA = 'http://hl7.org/fhir/uv/bulkdata/OperationDefinition';
const R4 = 'http://hl7.org/fhir/StructureDefinition';
const ADDRESS = 'address:string address-city:string address-postalcode:string address-state:string';
const CONTACT = 'email:token phone:token telecom:token';

/** Every type in the order of the CapabilityStatement. */
export const RESOURCE_TYPES: readonly ResourceType[] = [
  defineType('AllergyIntolerance', 'us-core-allergyintolerance', 'patient:reference _id:token'),
  defineType('Appointment', '', 'patient:reference _id:token date:date'),
  defineType('CarePlan', 'us-core-careplan', 'patient:reference category:token _id:token'),
  defineType('CareTeam', 'us-core-careteam', 'patient:reference status:token _id:token'),
  defineType('Condition', 'us-core-condition', 'patient:reference _id:token'),
  defineType('Coverage', '', 'patient:reference payor:token _id:token'),
  defineType('Device', 'us-core-implantable-device', 'patient:reference _id:token'),
  defineType(
    'DiagnosticReport',
    'us-core-diagnosticreport-note us-core-diagnosticreport-lab',
    'patient:reference code:token category:token date:date _id:token',
    { service: 'DiagnosticReport\\FhirDiagnosticReportClinicalNotesService' },
  ),
  defineType(
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
  defineType('Binary', '', '', { interactions: ['read'] }),
  defineType('Encounter', 'us-core-encounter', '_id:token patient:reference date:date'),
  defineType('Goal', 'us-core-goal', 'patient:reference _id:token'),
  defineType('Group', '', 'patient:reference _id:token', {
    operations: [{ name: 'export', definition: `${BULK_DATA}/group-export` }],
    service: 'Group\\FhirPatientProviderGroupService',
  }),
  defineType('Immunization', 'us-core-immunization', 'patient:reference _id:token'),
  defineType('Location', 'us-core-location', '_id:token'),
  defineType('Medication', 'us-core-medication', '_id:token'),
  defineType(
    'MedicationRequest',
    'us-core-medicationrequest',
    'patient:reference intent:token status:token _id:token',
  ),
  defineType(
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
  defineType(
    'Organization',
    'us-core-organization',
    `_id:token ${CONTACT} ${ADDRESS} name:string`,
    {
      interactions: ['search-type', 'read', 'create', 'update'],
      service: 'Organization\\FhirOrganizationFacilityService',
    },
  ),
  defineType(
    'Patient',
    'us-core-patient',
    `_id:token identifier:token name:string birthdate:date gender:token ${ADDRESS} email:token family:string given:string phone:token telecom:token _lastUpdated:date generalPractitioner:reference`,
    {
      interactions: ['create', 'update', 'search-type', 'read'],
      operations: [{ name: 'export', definition: `${BULK_DATA}/patient-export` }],
    },
  ),
  defineType(
    'Person',
    '',
    `active:token ${CONTACT} ${ADDRESS} family:string given:string name:string _id:token`,
  ),
  defineType(
    'Practitioner',
    'us-core-practitioner',
    `_id:token active:token ${CONTACT} ${ADDRESS} family:string given:string name:string`,
    { interactions: ['search-type', 'read', 'create', 'update'] },
  ),
  defineType(
    'PractitionerRole',
    'us-core-practitionerrole',
    'specialty:token practitioner:string _id:token',
  ),
  defineType('Procedure', 'us-core-procedure', 'patient:reference date:date _id:token'),
  defineType('Provenance', 'us-core-provenance', '_id:token', {
    interactions: ['read', 'search-type'],
    withoutLastUpdated: true,
  }),
  defineType('ValueSet', `${R4}/shareablevalueset`, '_id:token'),
];
