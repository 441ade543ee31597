import { element, byId } from './element.js';

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
    response = await fetch(path, { method });
  } catch {
    throw new Error('the proxy does not answer');
  }
  if (response.status === 204) return undefined;
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
