import { element, byId } from './element.js';

/** Key of this start of the proxy, without which it answers no page. */
const key = /** @type {HTMLMetaElement} */ (document.querySelector('meta[name="inspector-key"]'))
  .content;

/** An address with the key, for what cannot send headers: event streams and links. @param {string} path */
export function withKey(path) {
  return `${path}?key=${key}`;
}

/**
 * Asks the proxy; rejects with a sentence for people.
 *
 * @param {string} path relative to the page
 * @param {string} [method]
 * @returns {Promise<any>}
 */
export async function ask(path, method = 'GET') {
  /** @type {Response} */
  let response;
  try {
    response = await fetch(path, { method, headers: { 'x-inspector-key': key } });
  } catch {
    throw new Error('the proxy does not answer');
  }
  if (response.status === 204) return undefined;
  // The proxy was started anew: so is the page, with the new key.
  if (response.status === 403) location.reload();
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.error ?? `the proxy answered ${response.status}`);
  return body;
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let hiding;

/** Says something for a moment. @param {string} text */
export function say(text) {
  const notice = byId('notice');
  notice.textContent = text;
  notice.classList.add('shown');
  clearTimeout(hiding);
  hiding = setTimeout(() => notice.classList.remove('shown'), 2500);
}

/** @param {string} text @param {string} what named in the notice */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // The clipboard API needs a secure context; a host that is not loopback is none.
    const area = element('textarea', { value: text });
    document.body.append(area);
    /** @type {HTMLTextAreaElement} */ (area).select();
    document.execCommand('copy');
    area.remove();
  }
  say(`Copied ${what}`);
}

/**
 * A button that does something slow: disabled meanwhile, failures are said.
 *
 * @param {string} label
 * @param {() => Promise<unknown>} action
 * @param {Record<string, unknown>} [properties]
 */
export function actionButton(label, action, properties = {}) {
  const button = /** @type {HTMLButtonElement} */ (
    element(
      'button',
      {
        type: 'button',
        ...properties,
        async onclick() {
          button.disabled = true;
          try {
            await action();
          } catch (error) {
            say(error instanceof Error ? error.message : String(error));
          } finally {
            button.disabled = false;
          }
        },
      },
      label,
    )
  );
  return button;
}
