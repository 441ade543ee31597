/** The time limits of a route: the "timeouts" part of the configuration. */
import { z } from 'zod';

import { milliseconds } from './milliseconds.ts';

/** Time limits of a route. */
export const timeoutsSchema = z
  .strictObject({
    connectMs: milliseconds(
      'Milliseconds for the connection to the upstream, TLS included.',
      10_000,
    ),
    headMs: milliseconds(
      'Milliseconds until the head of the answer. OpenEMR runs an export inside its kick-off request, for up to 120 s.',
      180_000,
    ),
    idleMs: milliseconds('Milliseconds without a byte in the middle of an answer.', 120_000),
    tokenMs: milliseconds(
      'Milliseconds for a token request. OpenEMR fetches a jwks_uri inside it, without a limit of its own.',
      30_000,
    ),
  })
  .meta({ description: 'Time limits.' });
