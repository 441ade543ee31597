import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Exchange } from '../../src/base/contracts.ts';
import { configSchema } from '../../src/config/schema.ts';
import { createLogger } from '../../src/observe/logger.ts';
import { startSandbox } from '../../src/sandbox/index.ts';
import { createProxyServer } from '../../src/server.ts';
import { createManualClock } from '../support/clock.ts';

// A request that was answered from memory found no log line of its own time, and named likely causes instead.
test('the certain cause of a token failure is told for as long as the back-off lasts', async (t) => {
  const sandbox = await startSandbox();
  t.after(() => sandbox.close());
  const clock = createManualClock();
  const exchanges: Exchange[] = [];
  const { client, fhirBase, tokenEndpoint, errorLog } = sandbox;
  const proxy = await createProxyServer(
    configSchema.parse({
      listen: { port: 0 },
      routes: [
        {
          path: '/fhir',
          upstream: fhirBase,
          tokenEndpoint,
          audience: tokenEndpoint,
          client: {
            id: client.id,
            key: JSON.stringify(client.key),
            scopes: ['system/Patient.read'],
          },
          errorLog,
        },
      ],
    }),
    {
      logger: createLogger({ format: 'json', level: 'silent', stream: 2 }),
      clock,
      onExchange: (exchange) => exchanges.push(exchange),
    },
  );
  const url = await proxy.listen();
  t.after(() => proxy.destroy());
  sandbox.state.faults['client-disabled'] = true;

  for (const passedMs of [0, 500, 2500]) {
    clock.advance(passedMs);
    const answer = await fetch(`${url}/fhir/Patient`);
    assert.equal(answer.status, 503);
    await answer.arrayBuffer();
  }
  await proxy.close();
  const told = exchanges.map(({ hints }) => hints.map(({ id, certainty }) => `${id} ${certainty}`));
  assert.deepEqual(
    told,
    Array.from({ length: 3 }, () => ['client-disabled certain']),
  );
});
