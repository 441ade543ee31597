/**
 * Creates an element. Text is always set as text, never as markup.
 *
 * @param {string} name tag, optionally with classes: `span.badge.good`
 * @param {Record<string, unknown>} [properties] `onclick`-like functions become listeners, names with
 *   a hyphen, `role`, `scope`, `for` and `hidden` attributes, everything else properties
 * @param {...(Node | string | number | undefined | null | false)} children
 * @returns {HTMLElement}
 */
export function element(name, properties = {}, ...children) {
  const [tag = 'div', ...classes] = name.split('.');
  const created = document.createElement(tag);
  if (classes.length > 0) created.className = classes.join(' ');
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value === 'function')
      created.addEventListener(key.slice(2), /** @type {any} */ (value));
    else if (/-|^(?:role|scope|for|href|download)$/.test(key))
      created.setAttribute(key, String(value));
    else /** @type {any} */ (created)[key] = value;
  }
  append(created, children);
  return created;
}

/**
 * @param {Element} parent
 * @param {(Node | string | number | undefined | null | false)[]} children
 */
function append(parent, children) {
  for (const child of children) {
    if (child === undefined || child === null || child === false) continue;
    parent.append(child instanceof Node ? child : String(child));
  }
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no element "${id}"`);
  return found;
}

/**
 * An SVG element; `attributes` are set as they are.
 *
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {...Node} children
 */
export function svg(name, attributes = {}, ...children) {
  const created = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) created.setAttribute(key, String(value));
  created.append(...children);
  return created;
}

/**
 * A bar or a piece of one; the strict content policy allows styles set by script only.
 *
 * @param {string} className
 * @param {number} percent
 * @param {number} [left] percent
 */
export function piece(className, percent, left) {
  const created = element('i', { className });
  created.style.width = `${percent}%`;
  if (left !== undefined) created.style.left = `${left}%`;
  return created;
}
