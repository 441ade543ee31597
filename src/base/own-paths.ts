/** Paths at which the proxy itself answers, as far as more than one place must know them. */

/** Whether the process lives. */
export const LIVEZ_PATH = '/_proxy/livez';
/** Whether it can serve. */
export const READYZ_PATH = '/_proxy/readyz';
/** The JWK Set of its public keys (RFC 7517). */
export const JWKS_PATH = '/.well-known/jwks.json';
/** Pages of hints; the id of a hint follows. */
export const HINTS_PATH = '/_proxy/hints/';
