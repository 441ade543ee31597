import { element } from './element.js';

/** Deeper than this, and inside a list of entries, JSON is folded. */
const OPEN_DEPTH = 2;

/**
 * A body: JSON as a tree with the entries of a Bundle folded, anything else as text.
 *
 * @param {string} title
 * @param {{ mediaType: string, text: string, cut: boolean }} body
 */
export function buildBody(title, { mediaType, text, cut }) {
  const note = `${mediaType.split(';')[0]}${cut ? ', the first 64 kB' : ''}`;
  const heading = element('h3', {}, `${title} `, element('span.quiet', {}, note));
  return element('div', {}, heading, element('div.json', { tabIndex: 0 }, parse(text)));
}

/** @param {string} text */
function parse(text) {
  try {
    return buildValue(JSON.parse(text), 0);
  } catch {
    return document.createTextNode(text);
  }
}

/** @param {unknown} value @param {number} depth @returns {Node} */
function buildValue(value, depth) {
  if (Array.isArray(value)) {
    return buildGroup(
      value.map((each, index) => [String(index), each]),
      '[]',
      depth,
      value,
    );
  }
  if (typeof value === 'object' && value !== null) {
    return buildGroup(Object.entries(value), '{}', depth, value);
  }
  return element(typeof value === 'string' ? 'span.text' : 'span.plain', {}, JSON.stringify(value));
}

/**
 * @param {[string, unknown][]} members
 * @param {string} brackets
 * @param {number} depth
 * @param {object} whole
 */
function buildGroup(members, brackets, depth, whole) {
  if (members.length === 0) return document.createTextNode(brackets);
  const summary = element('summary', {}, describe(whole, members.length));
  const group = element('details', { open: depth < OPEN_DEPTH }, summary);
  const fill = () => {
    if (group.childElementCount > 1) return;
    for (const [name, value] of members) {
      group.append(
        element('div', {}, element('span.key', {}, name), ': ', buildValue(value, depth + 1)),
      );
    }
  };
  // What is folded is built when it is opened: a Bundle can have thousands of values.
  if (depth < OPEN_DEPTH) fill();
  else group.addEventListener('toggle', fill);
  return group;
}

/** `Patient`, `Bundle, 10 entries`, `3 items`. @param {object} value @param {number} count */
function describe(value, count) {
  if (Array.isArray(value)) return `[ ${count} ]`;
  const { resourceType, resource, entry } = /** @type {any} */ (value);
  const type = resourceType ?? resource?.resourceType;
  if (typeof type !== 'string') return `{ ${count} }`;
  return Array.isArray(entry) ? `${type}, ${entry.length} entries` : type;
}
