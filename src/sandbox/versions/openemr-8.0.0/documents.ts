/** What OpenEMR 8.0.0 says in the documents that need no token. */
import type { CapabilityRules, ServerFacts } from '../../fhir/capabilities.ts';
import type { JsonObject } from '../../fhir/resource.ts';
import { RESPONSE_TYPES } from '../../oauth/response-types.ts';

/** Its CapabilityStatement: no version, no endpoints. */
export const CAPABILITIES: CapabilityRules = {
  instantiates: [
    'http://hl7.org/fhir/us/core/CapabilityStatement/us-core-server',
    'http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data',
  ],
  hasVersion: false,
  hasEndpoints: false,
  securityService: {
    system: 'http://terminology.hl7.org/CodeSystem/restful-security-service',
    code: 'SMART-on-FHIR',
    display: 'SMART-on-FHIR',
  },
};

/** The SMART configuration. @param scopes OpenEMR puts the list inside a list */
export function smartConfiguration(
  { fhirBase, oauthBase }: ServerFacts,
  scopes: readonly string[],
): JsonObject {
  return {
    issuer: fhirBase,
    jwks_uri: `${oauthBase}/jwk`,
    authorization_endpoint: `${oauthBase}/authorize`,
    grant_types_supported: ['client_credentials', 'authorization_code'],
    token_endpoint: `${oauthBase}/token`,
    capabilities: [
      'launch-ehr',
      'launch-standalone',
      'client-confidential-symmetric',
      'client-confidential-asymmetric',
      'client-public',
      'context-banner',
      'context-ehr-patient',
      'context-style',
      'context-standalone-patient',
      'sso-openid-connect',
      'permission-user',
      'permission-patient',
      'permission-offline',
      'permission-v1',
      'permission-v2',
      'authorize-post',
      'context-ehr-encounter',
    ],
    code_challenge_methods_supported: ['S256'],
    scopes_supported: [scopes],
    introspection_endpoint: `${oauthBase}/introspect`,
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'private_key_jwt'],
    response_types_supported: RESPONSE_TYPES,
  };
}
