import { element } from './element.js';

/** @typedef {import('./types.js').Field} Field */

const TONES = { removed: 'bad', added: 'good', changed: 'info' };

/**
 * Fields that came in, each marked when it did not cross, then those that were added.
 *
 * @param {readonly Field[]} before
 * @param {readonly Field[]} after
 * @param {readonly string[]} [withheld] names of fields that did not cross, when that is all that is known
 */
export function buildFields(before, after, withheld = []) {
  const rows = [
    ...before.filter((field) => field.change !== 'changed' || !hasName(after, field.name)),
    ...after.filter(({ change }) => change !== undefined),
    ...[...new Set(withheld)].map((name) => ({
      name,
      value: '',
      change: /** @type {const} */ ('removed'),
    })),
  ];
  if (rows.length === 0) return element('p.quiet', {}, 'None.');
  return element('table.fields', {}, element('tbody', {}, ...rows.map(buildField)));
}

/** @param {readonly Field[]} fields @param {string} name */
function hasName(fields, name) {
  return fields.some((field) => field.name.toLowerCase() === name.toLowerCase());
}

/** @param {Field} field */
function buildField({ name, value, change }) {
  return element(
    'tr',
    { className: change ?? '' },
    element('th', { scope: 'row' }, name),
    element('td.value', {}, value),
    element(
      'td.mark',
      {},
      change !== undefined && element('span', { className: `badge ${TONES[change]}` }, change),
    ),
  );
}
