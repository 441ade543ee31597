/** What OpenEMR 7.0.3 says in the documents that need no token. */
import {
  type CapabilityRules,
  type ServerFacts,
  SMART_CAPABILITIES,
} from '../../fhir/capabilities.ts';
import type { JsonObject } from '../../fhir/resource.ts';
import { RESPONSE_TYPES } from '../../oauth/response-types.ts';

/** Its CapabilityStatement. */
export const CAPABILITIES: CapabilityRules = {
  instantiates: ['http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data'],
  hasVersion: true,
  hasEndpoints: true,
  securityService: {
    system: 'http://hl7.org/fhir/restful-security-service',
    code: 'SMART-on-FHIR',
  },
};

/** The SMART configuration. @param scopes OpenEMR puts the list inside a list */
export function smartConfiguration(facts: ServerFacts, scopes: readonly string[]): JsonObject {
  const { oauthBase } = facts;
  return {
    authorization_endpoint: `${oauthBase}/authorize`,
    token_endpoint: `${oauthBase}/token`,
    registration_endpoint: `${oauthBase}/registration`,
    scopes_supported: [scopes],
    response_types_supported: RESPONSE_TYPES,
    introspection_endpoint: `${oauthBase}/introspect`,
    capabilities: SMART_CAPABILITIES,
    code_challenge_methods_supported: ['S256'],
    grant_types_supported: ['client_credentials', 'authorization_code'],
  };
}
