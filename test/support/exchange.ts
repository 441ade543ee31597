import type { Exchange } from '../../src/base/contracts.ts';
import { parseInteraction } from '../../src/fhir/interaction.ts';

let built = 0;

/** A finished exchange: a search answered with 200, unless changed. */
export function buildExchange(changes: Partial<Exchange> = {}): Exchange {
  built += 1;
  return {
    id: `t${built}`,
    startedAtMs: 1_700_000_000_000,
    method: 'GET',
    route: '/fhir',
    interaction: parseInteraction('GET', '/Patient'),
    status: 200,
    outcome: 'forwarded',
    requestBytes: 0,
    responseBytes: 100,
    tokenOrigin: 'cached',
    replayed: false,
    timings: { gateMs: 0.1, tokenMs: 0.2, sentMs: 0.3, upstreamMs: 20.3, totalMs: 21 },
    hints: [],
    ...changes,
  };
}

/** The same for a request line. */
export function buildExchangeOf(
  method: string,
  path: string,
  changes: Partial<Exchange> = {},
): Exchange {
  const [target = '', query = ''] = path.split('?');
  const names = [...new URLSearchParams(query).keys()];
  return buildExchange({
    method,
    interaction: parseInteraction(method, target),
    parameterNames: names,
    wire: { target: `/fhir${path}`, received: ['Host', 'localhost:8088'] },
    ...changes,
  });
}
