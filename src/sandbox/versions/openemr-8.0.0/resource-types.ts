/** The resource types of OpenEMR 8.0.0, with the releases of US Core that they follow. */
import { defineType, type ResourceType } from '../../fhir/resource-types.ts';
import { expand } from './profiles.ts';

/** Every type in the order of the CapabilityStatement. */
export const RESOURCE_TYPES: readonly ResourceType[] = [
  defineType(
    'AllergyIntolerance',
    expand('us-core-allergyintolerance@378'),
    'patient:reference _id:token',
  ),
  defineType('Appointment', '', 'patient:reference _id:token date:date'),
  defineType(
    'CarePlan',
    expand('us-core-careplan@378'),
    'patient:reference category:token status:token _id:token',
  ),
  defineType('CareTeam', expand('us-core-careteam@78'), 'patient:reference status:token _id:token'),
  defineType(
    'Condition',
    expand(
      'us-core-condition@3 us-core-condition-encounter-diagnosis@78 us-core-condition-problems-health-concerns@78',
    ),
    'patient:reference _id:token',
  ),
  defineType(
    'Coverage',
    expand('us-core-coverage@78'),
    'patient:reference payor:token type:token status:token _id:token',
  ),
  defineType('Device', expand('us-core-implantable-device@378'), 'patient:reference _id:token'),
  defineType(
    'DiagnosticReport',
    expand('us-core-diagnosticreport-note@378 us-core-diagnosticreport-lab@378'),
    'patient:reference code:token category:token date:date _id:token',
    { service: 'DiagnosticReport\\FhirDiagnosticReportClinicalNotesService' },
  ),
  defineType(
    'DocumentReference',
    expand('us-core-documentreference@378'),
    'patient:reference type:token category:token date:date _id:token',
    {
      interactions: ['search-type', 'create', 'read'],
      operations: [
        { name: '$docref', definition: 'http://hl7.org/fhir/us/core/OperationDefinition/docref' },
      ],
      service: 'DocumentReference\\FhirClinicalNotesService',
    },
  ),
  defineType('Binary', '', '', { interactions: ['read'] }),
  defineType('Encounter', expand('us-core-encounter@378'), '_id:token patient:reference date:date'),
  defineType(
    'Goal',
    expand('us-core-goal@378'),
    'patient:reference _id:token _lastUpdated:date lifecycle-status:token target-date:date description:token',
  ),
  defineType('Group', '', 'patient:reference _id:token', {
    operations: [
      {
        name: 'export',
        definition: 'http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export',
      },
    ],
    service: 'Group\\FhirPatientProviderGroupService',
  }),
  defineType('Immunization', expand('us-core-immunization@378'), 'patient:reference _id:token'),
  defineType(
    'Location',
    expand('us-core-location@378'),
    '_id:token address:string name:string address-city:string address-state:string address-postalcode:string',
  ),
  defineType(
    'Media',
    '',
    '_id:token _lastUpdated:date patient:reference content-type:string title:string',
  ),
  defineType('Medication', expand('us-core-medication@378'), '_id:token'),
  defineType(
    'MedicationDispense',
    expand('us-core-medicationdispense@78 us-core-medicationdispense@78'),
    'patient:reference status:token type:token _id:token',
  ),
  defineType(
    'MedicationRequest',
    expand('us-core-medicationrequest@378'),
    'patient:reference intent:token status:token _id:token',
  ),
  defineType(
    'Observation',
    expand(
      [
        'us-core-smokingstatus@378',
        'http://hl7.org/fhir/R4/observation-vitalsigns@3',
        'us-core-vital-signs@78',
        'http://hl7.org/fhir/StructureDefinition/resprate@3',
        'us-core-respiratory-rate@78',
        'http://hl7.org/fhir/StructureDefinition/heartrate@3',
        'us-core-heart-rate@78',
        'us-core-pulse-oximetry@378',
        'http://hl7.org/fhir/StructureDefinition/bodytemp@3',
        'us-core-body-temperature@78',
        'us-core-simple-observation@78',
        'http://hl7.org/fhir/StructureDefinition/bodyheight@3',
        'us-core-body-height@78',
        'us-core-head-circumference@378',
        'http://hl7.org/fhir/StructureDefinition/bodyweight@3',
        'us-core-body-weight@78',
        'us-core-bmi@378',
        'http://hl7.org/fhir/StructureDefinition/bp@3',
        'us-core-blood-pressure@78',
        'head-occipital-frontal-circumference-percentile@378',
        'pediatric-bmi-for-age@378',
        'pediatric-weight-for-height@378',
        'us-core-average-blood-pressure@78',
        'us-core-observation-lab@378',
        'us-core-simple-observation@78',
        'us-core-observation-screening-assessment@78',
        'us-core-observation-sexual-orientation@78',
        'us-core-observation-occupation@78',
        'us-core-observation-adi-documentation|8.0.0',
        'us-core-treatment-intervention-preference',
        'us-core-care-experience-preference',
        'us-core-care-experience-preference@78',
        'us-core-medicationdispense@78',
        'us-core-observation-clinical-result@78',
        'us-core-observation-occupation@78',
        'us-core-observation-pregnancyintent@78',
        'us-core-observation-pregnancystatus@78',
        'us-core-observation-sexual-orientation@78',
        'us-core-treatment-intervention-preference@78',
        'us-core-observation-adi-documentation|8.0.0',
      ].join(' '),
    ),
    'patient:reference code:token category:token date:date _id:token',
    { service: 'Observation\\FhirObservationSocialHistoryService' },
  ),
  defineType(
    'Organization',
    expand('us-core-organization@378'),
    '_id:token email:token phone:token telecom:token address:string address-city:string address-postalcode:string address-state:string name:string',
    {
      interactions: ['search-type', 'read', 'create', 'update'],
      service: 'Organization\\FhirOrganizationFacilityService',
    },
  ),
  defineType(
    'Specimen',
    expand('us-core-specimen'),
    'patient:reference identifier:token accession:token type:token collected:date status:token _id:token',
  ),
  defineType(
    'Patient',
    expand('us-core-patient@38'),
    '_id:token identifier:token name:string birthdate:date gender:token address:string address-city:string address-postalcode:string address-state:string email:token family:string given:string phone:token telecom:token _lastUpdated:date generalPractitioner:reference',
    {
      interactions: ['create', 'update', 'search-type', 'read'],
      operations: [
        {
          name: 'export',
          definition: 'http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export',
        },
      ],
    },
  ),
  defineType(
    'Person',
    '',
    'active:token email:token phone:token telecom:token address:string address-city:string address-postalcode:string address-state:string family:string given:string name:string _id:token',
  ),
  defineType(
    'Practitioner',
    expand('us-core-practitioner@378'),
    '_id:token active:token email:token phone:token telecom:token address:string address-city:string address-postalcode:string address-state:string family:string given:string name:string',
    { interactions: ['search-type', 'read', 'create', 'update'] },
  ),
  defineType(
    'PractitionerRole',
    expand('us-core-practitionerrole@378'),
    'specialty:token practitioner:reference _id:token',
  ),
  defineType('Procedure', expand('us-core-procedure@378'), 'patient:reference date:date _id:token'),
  defineType('RelatedPerson', expand('us-core-relatedperson@78'), 'patient:reference _id:token'),
  defineType(
    'ServiceRequest',
    expand('us-core-servicerequest'),
    'patient:reference category:token code:token authored:date status:token intent:token _id:token',
  ),
  defineType('Provenance', expand('us-core-provenance@378'), '_id:token', {
    interactions: ['read', 'search-type'],
    withoutLastUpdated: true,
  }),
  defineType('Questionnaire', '', '_id:token title:string questionnaire-code:token', {
    interactions: ['search-type'],
    withoutLastUpdated: true,
  }),
  defineType(
    'QuestionnaireResponse',
    expand('us-core-questionnaireresponse@78'),
    '_id:token questionnaire:reference patient:reference authored:date',
    { withoutLastUpdated: true },
  ),
  defineType(
    'ValueSet',
    expand('http://hl7.org/fhir/StructureDefinition/shareablevalueset'),
    '_id:token',
  ),
];
