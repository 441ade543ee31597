import { byId, element } from './element.js';
import { statusText, tokenText } from './rows.js';

/** @typedef {import('./types.js').Summary} Summary */

const CLASSES = ['2xx', '3xx', '4xx', '5xx'];

/**
 * Which exchanges are shown: by text, status class, and whether there is a hint.
 *
 * @param {() => void} changed called when the choice has changed
 */
export function createFilter(changed) {
  const input = /** @type {HTMLInputElement} */ (byId('filter'));
  const hintButton = byId('with-hint');
  /** @type {Set<string>} */
  const classes = new Set();
  let onlyHints = false;

  /** @param {HTMLElement} button @param {boolean} pressed */
  function press(button, pressed) {
    button.setAttribute('aria-pressed', String(pressed));
    changed();
  }

  for (const name of CLASSES) {
    const button = element('button', { type: 'button', 'aria-pressed': 'false' }, name);
    button.addEventListener('click', () => {
      if (!classes.delete(name)) classes.add(name);
      press(button, classes.has(name));
    });
    byId('classes').append(button);
  }
  input.addEventListener('input', changed);
  hintButton.addEventListener('click', () => {
    onlyHints = !onlyHints;
    press(hintButton, onlyHints);
  });

  return {
    /** @param {Summary} exchange */
    matches(exchange) {
      if (onlyHints && exchange.hints.length === 0) return false;
      if (classes.size > 0 && !classes.has(`${Math.floor(exchange.status / 100)}xx`)) return false;
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      const text = words.length === 0 ? '' : textOf(exchange);
      return words.every((word) => text.includes(word));
    },
    toggleHint: () => hintButton.click(),
  };
}

/** What the text filter looks at. @param {Summary} exchange */
function textOf(exchange) {
  const { method, interaction, route, target, error, parameters, hints } = exchange;
  return [
    method,
    interaction,
    route,
    target,
    statusText(exchange),
    tokenText(exchange),
    error?.code,
    ...parameters,
    ...hints.flatMap(({ id, title }) => [id, title]),
  ]
    .join(' ')
    .toLowerCase();
}
