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
    return buildMember(undefined, JSON.parse(text), 0);
  } catch {
    return document.createTextNode(text);
  }
}

/**
 * A member of an object or a list with its name, or the whole value without one.
 *
 * @param {string | undefined} name
 * @param {unknown} value
 * @param {number} depth
 * @returns {Node}
 */
function buildMember(name, value, depth) {
  const key = name === undefined ? [] : [element('span.key', {}, name), ': '];
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) {
    const className = typeof value === 'string' ? 'span.text' : 'span.plain';
    return element('div', {}, ...key, element(className, {}, JSON.stringify(value)));
  }
  const members = Object.entries(value);
  // The resource of an entry is what people open the entry for.
  const open = depth < OPEN_DEPTH || name === 'resource';
  const summary = element('summary', {}, ...key, describe(value, members.length));
  const group = element('details', { open }, summary);
  const fill = () => {
    if (group.childElementCount > 1) return;
    for (const [name, value] of members) group.append(buildMember(name, value, depth + 1));
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
