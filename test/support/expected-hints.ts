/**
 * What the recorded failures are to be explained by: for each version the catalogue id and the
 * numbers of the recordings in test/fixtures/openemr-*. Each number was checked against
 * `what_was_done` of its recording.
 */

/** Versions that were recorded. */
export const RECORDED_VERSIONS = ['7.0.3', '8.0.0'] as const;
/** One of them. */
export type RecordedVersion = (typeof RECORDED_VERSIONS)[number];

/** Expected first hint: id, then numbers of recordings. */
export const EXPECTED_HINTS: Readonly<
  Record<RecordedVersion, Readonly<Record<string, readonly number[]>>>
> = {
  '7.0.3': {
    'apache-limits': [412, 413],
    'assertion-alg-mismatch': [62, 65, 66, 68, 217, 226],
    'assertion-aud-mismatch': [
      36, 37, 39, 40, 41, 42, 43, 44, 45, 121, 123, 268, 270, 272, 406, 409, 743,
    ],
    'assertion-expired': [20, 21],
    'assertion-iat-future': [33],
    'assertion-iss-mismatch': [49, 50, 51],
    'assertion-jti-missing': [54],
    'assertion-jti-replayed': [58, 60],
    'assertion-missing': [8],
    'assertion-nbf-future': [35],
    'assertion-sig-mismatch': [72, 73, 74, 114, 223, 224],
    'assertion-sub-missing': [52],
    'assertion-type-unsupported': [6, 111, 112],
    'assertion-unparseable': [9, 10, 11, 12, 15],
    'backend-down': [514, 515],
    'backend-timeout': [247, 517],
    'bulk-accept-header': [433],
    'bulk-bad-since': [440],
    'bulk-file-gone': [454, 457],
    'bulk-job-unknown': [448],
    'bulk-prefer-header': [431],
    'client-disabled': [5],
    'client-unknown': [4, 115],
    'db-down': [509, 512],
    'encoded-slash': [345],
    'fhir-absolute-reference': [713, 714],
    'fhir-api-off': [418, 419],
    'fhir-bad-id': [329, 736],
    'fhir-csrf-header': [417],
    'fhir-handler-exception': [502],
    'fhir-no-auth-header': [301, 304, 372, 388, 452, 510, 737],
    'fhir-public-key-missing': [503],
    'fhir-rewrite-command': [355],
    'fhir-route-unknown': [331, 338, 340, 363, 364, 367, 377, 441],
    'fhir-scope-missing': [319, 321, 323, 365, 366, 414, 741, 744],
    'fhir-search-param': [333, 350, 352, 354, 358, 359, 472, 478, 718, 721, 723],
    'fhir-site-error': [389, 390, 391, 392, 393],
    'fhir-token-malformed': [303, 305, 306, 731, 732],
    'fhir-token-rejected': [308, 309, 310, 311, 481, 520],
    'fhir-token-unknown': [315],
    'fhir-user-unidentified': [507],
    'fhir-wrong-api': [395],
    'grant-type-unsupported': [16, 18],
    'jwks-key-unusable': [216, 242],
    'jwks-missing-keys': [208, 236, 240],
    'jwks-none': [245],
    'jwks-not-json': [206, 207, 209, 211, 214, 239, 241],
    'jwks-uri-unreachable': [203, 204, 205],
    'method-blocked': [368],
    'oauth-api-disabled': [265],
    'oauth-keys-broken': [505],
    'php-memory-exhausted': [494, 495],
    'post-too-large': [261],
    'reg-auth-method': [612],
    'reg-content-type': [616, 617],
    'reg-public-system-scope': [610, 611],
    'reg-redirect-uris': [606],
    'rewrite-off': [384],
    'scope-empty-string': [608],
    'scope-invalid': [80, 81, 82, 83, 88, 91, 92, 98, 99, 262, 614, 615, 619],
    'scope-not-granted': [76, 78, 85, 87, 263],
    'site-unknown-oauth': [117, 118],
    'system-user-missing': [506],
    'token-form-missing': [17, 100, 104, 105, 106, 107, 108, 109],
  },
  '8.0.0': {
    'apache-bad-request': [981],
    'apache-limits': [412],
    'assertion-alg-mismatch': [62, 63, 65, 66, 67, 217],
    'assertion-aud-mismatch': [36, 37, 40, 41, 43, 44, 45, 48, 121, 268, 270, 406, 407, 409],
    'assertion-exp-too-far': [26, 30, 874],
    'assertion-expired': [20],
    'assertion-iat-future': [33, 876],
    'assertion-iat-too-old': [21, 34],
    'assertion-iss-mismatch': [49, 51],
    'assertion-jti-missing': [53, 54],
    'assertion-jti-replayed': [58],
    'assertion-nbf-future': [35],
    'assertion-refused': [743],
    'assertion-sig-mismatch': [72, 73, 74, 223, 224],
    'assertion-type-unsupported': [6, 9, 111, 112],
    'assertion-unparseable': [11, 12],
    'backend-down': [514, 515],
    'backend-timeout': [247, 517],
    'bulk-accept-header': [432, 433],
    'bulk-bad-since': [440],
    'bulk-file-gone': [454],
    'bulk-job-unknown': [448, 456],
    'bulk-prefer-header': [431],
    'client-disabled': [5],
    'client-unknown': [115],
    'db-down': [510, 511, 512],
    'encoded-slash': [345, 347],
    'fhir-absolute-reference': [713, 714],
    'fhir-access-denied': [
      301, 302, 303, 304, 305, 306, 307, 308, 309, 310, 311, 372, 376, 388, 445, 452, 503, 520, 522,
      732, 737, 947, 949, 954, 955, 959, 961, 966, 976, 982, 983,
    ],
    'fhir-bad-id': [329, 330, 985, 999],
    'fhir-body-not-json': [919, 920],
    'fhir-count-invalid': [720],
    'fhir-csrf-header': [417, 890, 970, 971, 972, 973],
    'fhir-handler-exception': [501],
    'fhir-method-override': [998],
    'fhir-rewrite-command': [355],
    'fhir-route-unknown': [
      331, 336, 339, 340, 341, 343, 363, 367, 371, 377, 378, 385, 386, 393, 441, 912, 931, 940, 941,
      942, 943, 956, 957, 958, 962, 965,
    ],
    'fhir-scope-missing': [
      319, 321, 322, 337, 365, 366, 414, 434, 446, 447, 903, 906, 908, 909, 914, 915, 927, 929, 948,
      991, 992, 993,
    ],
    'fhir-search-param': [332, 333, 350, 352, 358, 718, 721, 722, 723, 936],
    'fhir-site-error': [391],
    'fhir-token-revoked': [314],
    'fhir-token-unknown': [313, 315],
    'fhir-validation-failed': [921, 922],
    'fhir-wrong-api': [396, 938],
    'grant-type-unsupported': [16],
    'jwks-key-unusable': [216, 237, 238, 242],
    'jwks-missing-keys': [215, 236],
    'jwks-none': [245],
    'jwks-not-json': [206, 207, 210, 211, 214, 239, 241],
    'jwks-uri-unreachable': [204, 205, 221],
    'method-blocked': [368, 889, 969],
    'oauth-api-disabled': [265],
    'oauth-keys-broken': [505],
    'oauth-path-unknown': [893],
    'post-too-large': [261],
    'redirect-uri-sent': [894],
    'reg-auth-method': [814],
    'reg-content-type': [616, 617],
    'reg-jwks-not-object': [604],
    'reg-jwks-required': [603],
    'reg-not-saved': [609],
    'rewrite-off': [384, 945],
    'scope-empty-string': [608],
    'scope-invalid': [
      77, 82, 88, 92, 95, 96, 262, 615, 619, 809, 810, 833, 834, 837, 844, 845, 846, 847, 854,
    ],
    'scope-not-granted': [76, 79, 85, 87, 263, 842],
    'site-unknown-oauth': [117],
    'system-user-missing': [506],
    'token-form-missing': [101, 104, 105, 878, 879, 880, 881, 882],
  },
};

/**
 * Recordings in which nothing proves the cause, so that the first hint is only likely, with the
 * reason. Every other one must be explained with certainty.
 */
export const ONLY_LIKELY: Readonly<Record<RecordedVersion, ReadonlyMap<number, string>>> = {
  '7.0.3': new Map([
    ...numbers('an empty 401 without a line in the log', [319, 321, 323, 365, 366, 414, 741]),
    ...numbers(
      'an empty 404 without a line in the log',
      [265, 331, 338, 340, 363, 364, 367, 377, 441, 457],
    ),
    ...numbers('a 200 that only the request explains', [355, 454]),
  ]),
  '8.0.0': new Map([
    ...numbers('the log was cut before the line that names the cause', [743]),
    ...numbers('an empty 404 without a line in the log', [893]),
    ...numbers('nothing is logged for it', [894]),
    ...numbers('a 200 that only the request explains', [355, 454]),
  ]),
};

/** Recordings among 352–359 that turned out to hide no failure: no hint must be invented. */
export const NO_FAILURE: Readonly<Record<RecordedVersion, readonly number[]>> = {
  '7.0.3': [356],
  '8.0.0': [353, 356, 357],
};

function numbers(reason: string, list: readonly number[]): [number, string][] {
  return list.map((number) => [number, reason]);
}
