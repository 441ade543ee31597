import { byId } from './element.js';

/** @typedef {{ list: import('./types.js').Summary[], reset: boolean }} Change */

/** Changes that wait while paused; older ones are dropped, as the list could not show them anyway. */
const MOST_WAITING = 500;

/**
 * Lets changes through, or holds them while people read.
 *
 * @param {(change: Change) => void} apply
 */
export function createPause(apply) {
  const button = byId('pause');
  /** @type {Change[] | undefined} */
  let held;

  function tell() {
    const waiting = held?.reduce((sum, { list }) => sum + list.length, 0) ?? 0;
    button.textContent =
      held === undefined ? 'Pause' : `Resume${waiting > 0 ? ` (${waiting})` : ''}`;
    button.setAttribute('aria-pressed', String(held !== undefined));
  }

  function toggle() {
    const changes = held ?? [];
    held = held === undefined ? [] : undefined;
    for (const change of changes) apply(change);
    tell();
  }

  button.addEventListener('click', toggle);
  return {
    /** @param {Change} change */
    take(change) {
      if (held === undefined) {
        apply(change);
        return;
      }
      held = change.reset ? [change] : [...held.slice(-MOST_WAITING), change];
      tell();
    },
    toggle,
  };
}
