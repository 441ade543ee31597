import { buildHint } from './details.js';
import { element, piece } from './element.js';
import { age, countdown, plural } from './format.js';
import { actionButton, ask, say } from './requests.js';

/** @typedef {import('./types.js').Route} Route */

/** Below this share of its life a token's bar changes colour: it should have been renewed by then. */
const LOW = 0.2;

/**
 * The token of one route: state, life, scopes, the last failure and what can be done.
 *
 * @param {Route} route
 * @param {{ refresh: () => Promise<void>, check: (() => Promise<void>) | undefined, checks: HTMLElement | undefined }} options
 */
export function buildTokenCard(route, { refresh, check, checks }) {
  const { path, token, key, upstream, server, sandbox } = route;
  const title = `Token of ${path}`;
  return element(
    'section.panel.card',
    { 'aria-label': title },
    element('h2', {}, title, ...stateBadges(route)),
    element(
      'p.quiet',
      {},
      [sandbox ? 'embedded sandbox' : upstream, server].filter(Boolean).join(', '),
    ),
    route.insecure &&
      element('p', {}, element('span.badge.bad', {}, 'any certificate is accepted')),
    token.expiresAtMs !== undefined && element('div.life', {}),
    element(
      'div.pairs',
      {},
      element('span.left', {}, token.generation === 0 ? 'no token was needed yet' : ''),
      element('span', {}, plural(token.requests, 'token request')),
    ),
    key !== undefined && element('p.quiet', {}, describeKey(key)),
    token.lastError !== undefined && token.hints.length === 0 && buildFailure(token.lastError),
    ...token.hints.map(buildHint),
    element('h3', {}, 'Scopes'),
    buildScopeList(route),
    element(
      'div.actions',
      {},
      actionButton('Renew', async () => {
        await ask(`${routePath(path)}/renew`, 'POST').finally(() => void refresh());
        say(`Token of ${path} renewed`);
      }),
      check !== undefined && actionButton('Check', check),
    ),
    checks,
  );
}

/** Where the actions of a route are. @param {string} path */
export function routePath(path) {
  return `routes/${encodeURIComponent(path.slice(1))}`;
}

/**
 * Shows how much of its life a token has left.
 *
 * @param {HTMLElement} card
 * @param {Route['token']} token
 * @param {number} nowMs by the clock of the proxy
 */
export function showLife(card, { obtainedAtMs, expiresAtMs }, nowMs) {
  if (obtainedAtMs === undefined || expiresAtMs === undefined) return;
  const leftMs = expiresAtMs - nowMs;
  const share = Math.min(1, Math.max(0, leftMs / (expiresAtMs - obtainedAtMs)));
  const life = card.querySelector('.life');
  life?.replaceChildren(piece('', share * 100));
  life?.classList.toggle('low', share < LOW);
  const left = card.querySelector('.left');
  if (left !== null) left.textContent = leftMs > 0 ? `expires in ${countdown(leftMs)}` : 'expired';
}

/** @param {Route} route */
function stateBadges({ token }) {
  const tone = { live: 'good', none: '', failed: 'bad' }[token.state];
  const text = token.state === 'none' ? 'not asked for' : token.state;
  const badges = [element('span', { className: `badge ${tone}` }, text)];
  if (token.state === 'live' && token.lastError !== undefined) {
    badges.push(element('span.badge.bad', {}, 'renewal failed'));
  }
  return badges;
}

/** @param {NonNullable<Route['key']>} key */
function describeKey({ id, algorithm, changedAtMs }) {
  const parts = [
    'Key',
    algorithm,
    id === undefined ? undefined : `“${id.length > 20 ? `${id.slice(0, 20)}…` : id}”`,
  ];
  const old = changedAtMs === undefined ? '' : `, changed ${age(Date.now() - changedAtMs)} ago`;
  return parts.filter(Boolean).join(' ') + old;
}

/** @param {{ code: string, message: string }} error */
function buildFailure({ code, message }) {
  return element('div.explained.failure', {}, element('h3', {}, code), element('p', {}, message));
}

/** @param {Route} route */
function buildScopeList({ token }) {
  const { requestedScopes, grantedScopes, missingScopes } = token;
  const scopes = [...new Set([...requestedScopes, ...grantedScopes])];
  return element(
    'ul.scopes',
    {},
    ...scopes.map((scope) => {
      const missing = missingScopes.includes(scope);
      return element(
        'li',
        { className: missing ? 'missing' : '' },
        missing ? `${scope} – not granted` : scope,
      );
    }),
  );
}

/** @param {import('./types.js').CheckResult[]} results */
export function buildChecks(results) {
  return element(
    'ul.checks',
    { 'aria-label': 'Results of the checks' },
    ...results.map(({ title, result, detail, fix }) =>
      element(
        'li',
        { className: result, 'aria-label': `${result}: ${title}` },
        element(
          'div',
          {},
          title,
          detail !== undefined && element('span.quiet', {}, ` ${detail}`),
          fix !== undefined && element('p', {}, fix),
        ),
      ),
    ),
  );
}
