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

/** @param {unknown} value @param {number} depth @param {string} [name] of the member @returns {Node} */
function buildValue(value, depth, name) {
  if (Array.isArray(value)) {
    return buildGroup(
      value.map((each, index) => [String(index), each]),
      depth,
      value,
      name,
    );
  }
  if (typeof value === 'object' && value !== null) {
    return buildGroup(Object.entries(value), depth, value, name);
  }
  return element(typeof value === 'string' ? 'span.text' : 'span.plain', {}, JSON.stringify(value));
}

/**
 * @param {[string, unknown][]} members
 * @param {number} depth
 * @param {object} whole
 * @param {string} [name]
 */
function buildGroup(members, depth, whole, name) {
  if (members.length === 0) return document.createTextNode(Array.isArray(whole) ? '[]' : '{}');
  // The resource of an entry is what people open the entry for.
  const open = depth < OPEN_DEPTH || name === 'resource';
  const group = element(
    'details',
    { open },
    element('summary', {}, describe(whole, members.length)),
  );
  const fill = () => {
    if (group.childElementCount > 1) return;
    for (const [key, value] of members) {
      const shown = buildValue(value, depth + 1, key);
      group.append(element('div', {}, element('span.key', {}, key), ': ', shown));
    }
  };
  // What is folded is built when it is opened: a Bundle can have thousands of values.
  if (open) fill();
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
