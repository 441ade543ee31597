/**
 * What keeps a document of the upstream from acting in the proxy's origin. A browser gives every response
 * of `localhost:8088` the rights of that origin: a stored HTML attachment could read other resources and
 * the inspector, and some headers change how the browser treats the whole origin, or the whole host, from
 * then on.
 */

/**
 * Set on every response of an upstream, names and values in turn. `sandbox` gives a document an origin of
 * its own and no script; `nosniff` keeps JSON and text from being taken for HTML or for a script; the
 * resource policy keeps pages of other sites from embedding it. FHIR JSON still opens in a tab, and calls
 * with CORS are not affected.
 */
export const CONTAINMENT_FIELDS: readonly string[] = [
  'Content-Security-Policy',
  "sandbox; default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options',
  'nosniff',
  'Cross-Origin-Resource-Policy',
  'same-site',
];

/** Names by which an upstream would steer a browser, or speak for this proxy; lower-case. */
const STEERING: ReadonlySet<string> = new Set([
  // State of the host: cookies ignore ports, so every other local server would get them.
  'set-cookie',
  'set-cookie2',
  'clear-site-data',
  'strict-transport-security',
  'public-key-pins',
  'public-key-pins-report-only',
  'expect-ct',
  'alt-svc',
  'alt-used',
  'set-login',
  'activate-storage-access',
  // Where the browser goes, what it loads, whom it reports to.
  'refresh',
  'service-worker-allowed',
  'service-worker',
  'service-worker-navigation-preload',
  'sourcemap',
  'x-sourcemap',
  'speculation-rules',
  'supports-loading-mode',
  'no-vary-search',
  'nel',
  'report-to',
  'reporting-endpoints',
  'use-as-dictionary',
  'dictionary-id',
  'ping-from',
  'ping-to',
  'x-dns-prefetch-control',
  // Policies of the document; the proxy sets its own.
  'content-security-policy',
  'content-security-policy-report-only',
  'x-content-security-policy',
  'x-webkit-csp',
  'x-content-type-options',
  'x-frame-options',
  'x-xss-protection',
  'x-permitted-cross-domain-policies',
  'x-download-options',
  'x-ua-compatible',
  'permissions-policy',
  'permissions-policy-report-only',
  'feature-policy',
  'document-policy',
  'document-policy-report-only',
  'require-document-policy',
  'integrity-policy',
  'integrity-policy-report-only',
  'referrer-policy',
  'timing-allow-origin',
  'origin-agent-cluster',
  'origin-trial',
  'critical-ch',
  'accept-ch',
  'accept-ch-lifetime',
  'content-dpr',
  'observe-browsing-topics',
  'ad-auction-allowed',
  'x-allow-fledge',
  // What a proxy or a cache says of itself (RFC 9209, RFC 9211): this one does.
  'proxy-status',
  'proxy-authentication-info',
  'cache-status',
  'server-timing',
  'cdn-loop',
]);

const STEERING_PREFIXES = [
  'access-control-',
  'cross-origin-',
  'attribution-reporting-',
  'ad-auction-',
  'shared-storage-',
  'sec-',
] as const;

/** Whether a header with this lower-case name steers browsers, and so does not cross. */
export function steersBrowser(lowerName: string): boolean {
  return STEERING.has(lowerName) || STEERING_PREFIXES.some((each) => lowerName.startsWith(each));
}

/** Schemes for which a browser opens its own dialog; `Bearer` is none of them. */
const PROMPTING = /(?:^|[\s,])(?:basic|digest|negotiate|ntlm|hoba|mutual|scram-[\w-]+)(?=[\s,]|$)/i;

/** Whether a `WWW-Authenticate` value (RFC 9110 section 11.6.1) makes a browser ask its user for a password. */
export function promptsForPassword(challenges: string): boolean {
  return PROMPTING.test(challenges);
}
