/**
 * What the proxy tells the page.
 *
 * @typedef {import('../../exchange-view.ts').ExchangeSummary} Summary
 * @typedef {import('../../exchange-view.ts').ExchangeDetail} Detail
 * @typedef {import('../../field-view.ts').FieldView} Field
 * @typedef {import('../../traffic.ts').TrafficPoint} Point
 * @typedef {import('../../../base/contracts.ts').Hint} Hint
 * @typedef {import('../actions.ts').CheckResult} CheckResult
 *
 * @typedef {object} Route
 * @property {string} path
 * @property {string} upstream
 * @property {boolean} sandbox
 * @property {boolean} insecure
 * @property {string} [server]
 * @property {boolean} v2Scopes
 * @property {{ id?: string, algorithm?: string, changedAtMs?: number }} [key]
 * @property {Token} token
 * @property {{ v1: string[], v2: string[], notGranted: string[], unused: string[] }} scopes
 *
 * @typedef {object} Token
 * @property {'none' | 'live' | 'failed'} state
 * @property {number} generation
 * @property {number} [obtainedAtMs]
 * @property {number} [expiresAtMs]
 * @property {string[]} requestedScopes
 * @property {string[]} grantedScopes
 * @property {string[]} missingScopes
 * @property {number} requests
 * @property {{ code: string, message: string }} [lastError]
 * @property {Hint[]} hints
 *
 * @typedef {object} Overview
 * @property {number} nowMs
 * @property {Route[]} routes
 * @property {Point[]} traffic
 */
export const NOTHING = undefined;
