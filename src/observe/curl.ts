import type { Exchange } from '../base/contracts.ts';
import { HIDDEN, pair, showFieldValue } from './field-view.ts';
import { showTarget } from './shown-target.ts';

/** Fields that curl or the proxy sets, or that only make sense to a browser; lower-case. */
const LEFT_OUT =
  /^(?:host|connection|content-length|transfer-encoding|user-agent|accept-encoding|expect|te|origin|referer|dnt|upgrade.*|sec-.*|if-.*|x-forwarded-.*|forwarded)$/;

/**
 * The curl command line that asks the proxy the same again. It needs no token: the proxy adds its
 * own. Ids, values and bodies that are not shown stand as `REDACTED`.
 */
export function buildCurl(
  exchange: Exchange,
  { showValues, baseUrl }: { showValues: boolean; baseUrl: string },
): string {
  const { method, wire } = exchange;
  const words = ['curl', '-i'];
  if (method === 'HEAD') words.push('--head');
  else if (method !== 'GET') words.push('-X', method);
  words.push(quote(baseUrl + showTarget(exchange, showValues)));
  for (const { name, value } of pair(wire?.received ?? [])) {
    if (LEFT_OUT.test(name.toLowerCase())) continue;
    const shown = showFieldValue(name, value, showValues);
    if (shown.endsWith(HIDDEN) || (name.toLowerCase() === 'accept' && shown === '*/*')) continue;
    words.push('-H', quote(`${name}: ${shown}`));
  }
  if (exchange.requestBytes > 0) words.push('--data-binary', '@body.json');
  return words.join(' ');
}

/** A word for a POSIX shell, in single quotes unless it is plain. */
function quote(word: string): string {
  return /^[\w./:@=,+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
