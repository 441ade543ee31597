/** Somebody who looks at the inspector while the run goes on. */
import { request } from 'node:http';

import type { World } from './world.ts';

/** Opens the inspector's event stream and looks for secrets in it; returns the function that leaves. */
export function openEventStream({ program, apiKey, leaks }: World): () => void {
  const saw = leaks.open('the inspector’s events');
  const asked = request(
    {
      host: '127.0.0.1',
      port: program.port,
      path: '/_proxy/events',
      headers: { 'X-API-Key': apiKey },
      agent: false,
    },
    (answer) => answer.on('data', saw).on('error', () => undefined),
  );
  asked.on('error', () => undefined).end();
  return () => void asked.destroy();
}
