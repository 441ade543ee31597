import { byId } from './element.js';
import { createFilter } from './filter.js';
import { plural } from './format.js';
import { createPause } from './pause.js';
import { createRowTable } from './row-table.js';

/** @typedef {import('./types.js').Summary} Summary @typedef {{ list: Summary[], reset: boolean }} Change */

/** Most exchanges shown; the proxy keeps no more. */
const CAPACITY = 500;

/**
 * The list of exchanges with its filter and its pause.
 *
 * @param {{ open: (id: string) => void, changed: (id: string) => void }} on
 */
export function createList(on) {
  const table = createRowTable(on.open);
  const filter = createFilter(() => redraw());
  const pause = createPause((change) => apply(change));
  const view = { showRoute: false, showValues: false, longestMs: 1 };
  /** @type {Map<string, Summary>} */
  let exchanges = new Map();

  /** @param {Summary} exchange */
  function place(exchange) {
    if (filter.matches(exchange)) table.put(exchange, view);
    else table.remove(exchange.id);
  }

  function redraw() {
    table.clear();
    for (const exchange of exchanges.values()) place(exchange);
    tellCount();
  }

  function tellCount() {
    const shown = table.count();
    byId('count').textContent =
      shown === exchanges.size ? plural(shown, 'exchange') : `${shown} of ${exchanges.size}`;
    byId('rows').hidden = exchanges.size === 0;
    byId('empty').hidden = exchanges.size > 0;
    table.sayNone(exchanges.size > 0 && shown === 0);
  }

  /** Bars are as long as their share of the longest; a new longest draws them all again. */
  function rescales() {
    const durations = [...exchanges.values()].map(({ timings }) => timings.totalMs ?? 0);
    const longest = Math.max(1, ...durations);
    if (longest <= view.longestMs * 1.5 && longest >= view.longestMs / 3) return false;
    view.longestMs = longest;
    return true;
  }

  /** @param {Change} change */
  function apply({ list, reset }) {
    if (reset) exchanges = new Map();
    for (const exchange of list) exchanges.set(exchange.id, exchange);
    for (const id of exchanges.keys()) {
      if (exchanges.size <= CAPACITY) break;
      exchanges.delete(id);
      table.remove(id);
    }
    if (rescales() || reset) redraw();
    else
      for (const { id } of list)
        if (exchanges.has(id)) place(/** @type {Summary} */ (exchanges.get(id)));
    tellCount();
    for (const { id } of list) on.changed(id);
  }

  return {
    take: (/** @type {Change} */ change) => pause.take(change),
    /** @param {{ showRoute?: boolean, showValues?: boolean }} changes */
    show(changes) {
      const before = JSON.stringify(view);
      Object.assign(view, changes);
      if (JSON.stringify(view) !== before) redraw();
    },
    table,
    togglePause: pause.toggle,
    toggleHint: filter.toggleHint,
  };
}
