/** The documents that need no token and are alike in every version: CapabilityStatement, OperationDefinitions. */
import type { ResourceType } from './resource-types.ts';
import type { JsonObject } from './resource.ts';

/** What the documents are about. */
export interface ServerFacts {
  /** Absolute URL of the FHIR base, without a slash at its end. */
  fhirBase: string;
  /** Absolute URL of the authorization server, without a slash at its end. */
  oauthBase: string;
  /** OpenEMR version. */
  version: string;
  nowMs: number;
}

const R4 = 'http://hl7.org/fhir/StructureDefinition';
const US_CORE = 'http://hl7.org/fhir/us/core/StructureDefinition';
const SMART_EXTENSION = 'http://fhir-registry.smarthealthit.org/StructureDefinition';
const BULKDATA_STATUS = '$bulkdata-status';

/** SMART capabilities in OpenEMR's order; the CapabilityStatement names `style` and `banner` differently. */
export const SMART_CAPABILITIES = [
  'launch-ehr',
  'context-banner',
  'context-ehr-patient',
  'context-style',
  'sso-openid-connect',
  'client-confidential-symmetric',
  'permission-user',
  'context-standalone-patient',
  'launch-standalone',
  'permission-patient',
  'permission-offline',
  'client-public',
] as const;

const PASSTHROUGH: Readonly<Record<string, string>> = {
  'context-banner': 'context-passthrough-banner',
  'context-style': 'context-passthrough-style',
};

/** What the CapabilityStatement says beside the resource types. */
export interface CapabilityRules {
  /** Capability statements that it follows. */
  instantiates: readonly string[];
  /** Whether `software.version` is there. */
  hasVersion: boolean;
  /** Whether the endpoints of the authorization server stand in an extension. */
  hasEndpoints: boolean;
  /** Coding of the security service. */
  securityService: JsonObject;
}

/** The CapabilityStatement. */
export function buildCapabilityStatement(
  facts: ServerFacts,
  types: readonly ResourceType[],
  rules: CapabilityRules,
): JsonObject {
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: new Date(facts.nowMs).toISOString().slice(0, 10),
    kind: 'instance',
    instantiates: rules.instantiates,
    software: { name: 'OpenEMR', version: rules.hasVersion ? facts.version : undefined },
    implementation: { description: 'OpenEMR FHIR API', url: facts.fhirBase },
    fhirVersion: '4.0.1',
    format: ['application/json'],
    rest: [
      {
        mode: 'server',
        security: buildSecurity(facts.oauthBase, rules),
        resource: [...types.map(describeType), describeOperations(facts.fhirBase)],
      },
    ],
  };
}

/** The one OperationDefinition that OpenEMR has. */
export function buildStatusOperation(): JsonObject {
  const string = { code: 'string', display: 'string' };
  return {
    resourceType: 'OperationDefinition',
    name: BULKDATA_STATUS,
    status: 'active',
    kind: 'operation',
    parameter: [
      {
        name: 'job',
        use: 'in',
        min: 1,
        max: 1,
        type: { system: 'http://hl7.org/fhir/data-types', ...string },
        searchType: { system: 'http://hl7.org/fhir/ValueSet/search-param-type', ...string },
      },
    ],
  };
}

function buildSecurity(oauthBase: string, rules: CapabilityRules): JsonObject {
  const endpoints = [
    ['token', 'token'],
    ['authorize', 'authorize'],
    ['register', 'registration'],
    ['introspect', 'introspect'],
  ].map(([url = '', path]) => ({ valueUri: `${oauthBase}/${path}`, url }));
  return {
    extension: [
      ...(rules.hasEndpoints
        ? [{ extension: endpoints, url: `${SMART_EXTENSION}/oauth-uris` }]
        : []),
      ...SMART_CAPABILITIES.map((capability) => ({
        valueCode: PASSTHROUGH[capability] ?? capability,
        url: `${SMART_EXTENSION}/capabilities`,
      })),
    ],
    service: [
      {
        coding: [rules.securityService],
        text: 'OAuth2 using SMART-on-FHIR profile (see http://docs.smarthealthit.org)',
      },
    ],
  };
}

function describeType(type: ResourceType): JsonObject {
  const { name, supportedProfiles, interactions, search, operations } = type;
  const searchable = search.size > 0;
  return {
    type: name,
    profile: `${R4}/${name}`,
    supportedProfile:
      supportedProfiles.length === 0
        ? undefined
        : supportedProfiles.map((profile) =>
            profile.includes('://') ? profile : `${US_CORE}/${profile}`,
          ),
    interaction: interactions.map((code) => ({ code })),
    updateCreate: false,
    searchInclude: searchable ? ['*'] : undefined,
    searchRevInclude: type.provenance ? ['Provenance:target'] : undefined,
    searchParam: searchable
      ? [...search].map(([parameter, kind]) => ({ name: parameter, type: kind }))
      : undefined,
    operation: operations.length === 0 ? undefined : operations.map((entry) => ({ ...entry })),
  };
}

/** The operations of the base, which OpenEMR lists as a resource type. */
function describeOperations(fhirBase: string): JsonObject {
  return {
    type: 'OperationDefinition',
    profile: `${R4}/OperationDefinition`,
    interaction: ['search-type', 'read', 'search-type', 'delete'].map((code) => ({ code })),
    updateCreate: false,
    operation: [
      { name: 'export', definition: 'http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export' },
      {
        name: BULKDATA_STATUS,
        definition: `${fhirBase}/OperationDefinition/${BULKDATA_STATUS}`,
      },
    ],
  };
}
