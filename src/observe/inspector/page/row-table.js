import { byId, element } from './element.js';
import { buildRow } from './rows.js';

/** @typedef {import('./types.js').Summary} Summary */

/**
 * The rows of the list, newest first.
 *
 * @param {(id: string) => void} open called when a row is chosen
 */
export function createRowTable(open) {
  const body = byId('list');
  /** @type {Map<string, HTMLElement>} */
  const rows = new Map();
  const none = element(
    'tr',
    {},
    element('td', { colSpan: 7, className: 'quiet' }, 'No exchange matches the filter.'),
  );
  let openId = '';

  return {
    count: () => rows.size,
    /** Puts a row on top, or a new one in the place of the old. @param {Summary} exchange @param {{ longestMs: number, showRoute: boolean, showValues: boolean }} view */
    put(exchange, view) {
      const old = rows.get(exchange.id);
      const row = buildRow(exchange, { ...view, open });
      row.classList.toggle('open', exchange.id === openId);
      rows.set(exchange.id, row);
      if (old === undefined) {
        body.prepend(row);
        return;
      }
      const focused = old.contains(document.activeElement);
      old.replaceWith(row);
      if (focused) row.querySelector('button')?.focus();
    },
    /** @param {string} id */
    remove(id) {
      rows.get(id)?.remove();
      rows.delete(id);
    },
    clear() {
      body.replaceChildren();
      rows.clear();
    },
    /** Says that nothing matches, or stops saying so. @param {boolean} shown */
    sayNone(shown) {
      if (shown) body.append(none);
      else none.remove();
    },
    /** Marks the row of the open exchange. @param {string} id */
    mark(id) {
      rows.get(openId)?.classList.remove('open');
      openId = id;
      rows.get(id)?.classList.add('open');
    },
    /** Moves the focus by one row, and opens it if another one is open. @param {1 | -1} step */
    move(step) {
      const buttons = [...body.querySelectorAll('button')];
      const focused = buttons.findIndex((button) => button === document.activeElement);
      const at = focused === -1 ? buttons.findIndex((button) => button.closest('.open')) : focused;
      const next = at === -1 ? 0 : Math.min(buttons.length - 1, Math.max(0, at + step));
      buttons[next]?.focus();
      if (openId !== '') buttons[next]?.click();
    },
    /** @param {string} id */
    focus: (id) => rows.get(id)?.querySelector('button')?.focus(),
  };
}
