import { element } from './element.js';
import { actionButton, copy } from './requests.js';

/** @typedef {import('./types.js').Route} Route */

/** What the traffic of one route has needed, against what is granted. @param {Route} route */
export function buildScopesCard({ path, scopes, v2Scopes, token }) {
  const { v1, v2, notGranted, unused } = scopes;
  const title = `Scopes that ${path} has needed`;
  if (v1.length === 0) {
    return element(
      'section.panel.card',
      { 'aria-label': title },
      element('h2', {}, title),
      element(
        'p.quiet',
        {},
        'No traffic yet. Run what your app does, and the smallest list that would do stands here.',
      ),
    );
  }
  return element(
    'section.panel.card',
    { 'aria-label': title },
    element('h2', {}, title),
    element('p.quiet', {}, 'The smallest list that lets the traffic so far through:'),
    buildLine(v1),
    v2Scopes && element('h3', {}, 'The same in v2 spelling'),
    v2Scopes && buildLine(v2),
    token.generation > 0 &&
      notGranted.length > 0 &&
      element('h3', {}, 'Asked for without a granted scope'),
    token.generation > 0 && notGranted.length > 0 && buildPlainList(notGranted, 'missing'),
    unused.length > 0 && element('h3', {}, 'Granted and not used so far'),
    unused.length > 0 && buildPlainList(unused, 'unused'),
  );
}

/** @param {string[]} scopes */
function buildLine(scopes) {
  const text = `"scopes": ${JSON.stringify(scopes, undefined, 2)}`;
  return element(
    'div.line',
    {},
    element('pre', { tabIndex: 0 }, text),
    actionButton('Copy', () => copy(text, 'the scopes')),
  );
}

/** @param {string[]} items @param {string} className */
function buildPlainList(items, className) {
  return element('ul.scopes', {}, ...items.map((item) => element('li', { className }, item)));
}
