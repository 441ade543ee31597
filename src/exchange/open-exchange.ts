/** The record of one request, opened when its head arrives. */
import type { IncomingMessage } from 'node:http';

import type { Clock, Exchange } from '../base/contracts.ts';

let opened = 0;

/** A new exchange in which nothing has happened yet. */
export function openExchange(request: IncomingMessage, clock: Clock): Exchange {
  opened += 1;
  return {
    id: opened.toString(36),
    startedAtMs: clock.now(),
    method: request.method ?? 'GET',
    status: 0,
    outcome: 'pending',
    requestBytes: 0,
    responseBytes: 0,
    tokenOrigin: 'none',
    replayed: false,
    timings: {},
    hints: [],
  };
}
