import type { Hint } from '../base/contracts.ts';
import { HINTS_PATH } from '../base/own-paths.ts';

/**
 * `Link` to the page of the first hint (RFC 8288, relation `help`), names and values in turn; empty without a hint.
 *
 * @param origin the proxy's own origin as this client calls it
 */
export function buildHelpFields(hints: readonly Hint[], origin: string): string[] {
  const [first] = hints;
  return first === undefined ? [] : ['Link', `<${origin}${HINTS_PATH}${first.id}>; rel="help"`];
}
