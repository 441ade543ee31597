/** Ids of the known failures of OpenEMR; each must be in the catalogue for good, because pages and logs link to it. */
export const KNOWN_FAILURES = `
client-unknown client-disabled client-public redirect-uri-sent jwks-none jwks-missing-keys
jwks-key-unusable jwks-uri-unreachable jwks-not-json jwks-bad-modulus jwks-phpseclib-missing
assertion-aud-mismatch assertion-expired assertion-iat-future assertion-nbf-future
assertion-iat-too-old assertion-exp-too-far assertion-sig-mismatch assertion-alg-mismatch
assertion-iss-mismatch assertion-sub-missing assertion-jti-missing assertion-jti-replayed
assertion-unparseable assertion-missing assertion-type-unsupported assertion-zend-assert
token-form-missing grant-type-unsupported scope-invalid scope-empty-string scope-not-granted
system-user-missing jti-save-failed oauth-keys-broken oauth-key-perms-notice token-exception
oauth-api-disabled site-unknown-oauth reg-jwks-required reg-public-system-scope reg-redirect-uris
reg-auth-method reg-content-type reg-jwks-not-object reg-not-saved reg-client-uri-403
fhir-no-auth-header fhir-token-rejected fhir-token-malformed fhir-access-denied fhir-token-revoked
fhir-token-unknown fhir-scope-missing fhir-patient-scope fhir-trusted-user-gone fhir-acl-denied
fhir-wrong-api fhir-site-error fhir-api-off fhir-route-unknown fhir-public-key-missing
fhir-handler-exception fhir-json-encode fhir-search-param fhir-bad-id fhir-csrf-header
fhir-cookie-conflict fhir-user-unidentified bulk-accept-header bulk-prefer-header bulk-disabled
bulk-no-resource-scope bulk-job-unknown bulk-server-error bulk-timeout bulk-bad-since bulk-file-gone
rewrite-off upstream-tls backend-down db-down apache-limits method-blocked`
  .trim()
  .split(/\s+/);
