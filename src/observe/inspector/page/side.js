import { byId } from './element.js';
import { buildTraffic } from './plot.js';
import { ask } from './requests.js';
import { buildScopesCard } from './scopes-card.js';
import { buildChecks, buildTokenCard, routePath, showLife } from './token-card.js';

/** @typedef {import('./types.js').Overview} Overview @typedef {import('./types.js').Route} Route */

/**
 * Traffic, tokens and scopes beside the list.
 *
 * @param {{ canCheck: () => boolean }} options
 */
export function createSide({ canCheck }) {
  const draw = createDrawer();
  /** Results of checks that were run, by route. @type {Map<string, HTMLElement>} */
  const checks = new Map();
  /** @type {Overview | undefined} */
  let overview;
  let offsetMs = 0;

  function update() {
    if (overview === undefined) return;
    const { routes, traffic } = overview;
    keep(byId('traffic'), [draw('traffic', traffic, () => buildTraffic(traffic))]);
    keep(byId('tokens'), routes.map(drawToken));
    keep(
      byId('scopes'),
      routes.map((route) => {
        const { path, scopes, v2Scopes, token } = route;
        const state = [scopes, v2Scopes, token.generation > 0];
        return draw(`scopes ${path}`, state, () => buildScopesCard(route));
      }),
    );
    tick();
  }

  function tick() {
    for (const route of overview?.routes ?? []) {
      showLife(drawToken(route), route.token, Date.now() + offsetMs);
    }
  }

  /** @param {Route} route */
  function drawToken(route) {
    const { path, upstream, server, key, token } = route;
    const check = canCheck() ? () => runChecks(path) : undefined;
    const results = checks.get(path);
    const state = [upstream, server, key, token, canCheck(), results?.textContent];
    return draw(`token ${path}`, state, () =>
      buildTokenCard(route, { refresh, check, checks: results }),
    );
  }

  async function runChecks(/** @type {string} */ path) {
    const { results } = await ask(`${routePath(path)}/check`, 'POST');
    checks.set(path, buildChecks(results));
    update();
  }

  /** @param {Overview} news */
  function take(news) {
    overview = news;
    offsetMs = news.nowMs - Date.now();
    update();
  }

  /** What has just been done is to be seen at once. */
  async function refresh() {
    take(await ask('overview'));
  }

  return { take, tick };
}

/** Draws a card again only when what it says has changed, so that focus and selection stay. */
function createDrawer() {
  /** @type {Map<string, { text: string, node: HTMLElement }>} */
  const drawn = new Map();
  return (
    /** @type {string} */ key,
    /** @type {unknown} */ state,
    /** @type {() => HTMLElement} */ build,
  ) => {
    const text = JSON.stringify(state);
    let card = drawn.get(key);
    if (card?.text !== text) drawn.set(key, (card = { text, node: build() }));
    return card.node;
  };
}

/** @param {HTMLElement} place @param {HTMLElement[]} nodes */
function keep(place, nodes) {
  const same =
    nodes.length === place.children.length &&
    nodes.every((node, at) => place.children[at] === node);
  if (!same) place.replaceChildren(...nodes);
}
