import { element, piece } from './element.js';
import { duration } from './format.js';

/** The phases of an exchange, each with the time at which it ended. */
const PHASES = /** @type {const} */ ([
  ['Gate', 'gateMs', 'proxy', 'the request was let in'],
  ['Token', 'tokenMs', 'proxy', 'the access token was in hand'],
  ['Connect', 'sentMs', 'proxy', 'the request went out on a connection'],
  ['First byte', 'upstreamMs', 'upstream', 'the head of the answer arrived'],
  ['Body', 'totalMs', 'body', 'the answer was sent whole'],
]);

/** @param {import('./types.js').Detail} detail */
export function buildWaterfall({ timings, outcome }) {
  const { totalMs } = timings;
  if (totalMs === undefined) return element('p.quiet', {}, 'Under way …');
  const rows = [];
  let before = 0;
  for (const [name, member, className, until] of PHASES) {
    const end = timings[member];
    if (end === undefined) continue;
    const start = Math.min(before, end);
    before = Math.max(before, end);
    const track = element('div.track', {}, piece(className, share(end - start), share(start)));
    const last = member === 'totalMs' && timings.upstreamMs === undefined;
    rows.push(
      element('span', { title: `until ${until}` }, last ? 'End' : name),
      track,
      element('span.ms', {}, duration(end - start)),
    );
  }
  const end = outcome === 'forwarded' ? '' : ` (${outcome})`;
  rows.push(
    element('strong', {}, `Whole${end}`),
    element('span'),
    element('strong.ms', {}, duration(totalMs)),
  );
  return element('div.waterfall', {}, ...rows);

  function share(/** @type {number} */ ms) {
    return totalMs === undefined || totalMs === 0 ? 0 : Math.min(100, (ms / totalMs) * 100);
  }
}
