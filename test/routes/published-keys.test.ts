import assert from 'node:assert/strict';
import { type TestContext, describe, it } from 'node:test';

import { loadSigningKey } from '../../src/auth/signing-key.ts';
import type { Exchange } from '../../src/base/contracts.ts';
import { configSchema } from '../../src/config/schema.ts';
import { createLogger } from '../../src/observe/logger.ts';
import { createPublishedKeys } from '../../src/routes/published-keys.ts';
import { startSandbox } from '../../src/sandbox/index.ts';
import { createProxyServer } from '../../src/server.ts';
import { createManualClock } from '../support/clock.ts';
import { es384Key, rs384Key } from '../support/keys.ts';

const FIRST = rs384Key('first');
const SECOND = rs384Key('second');

/** A proxy with two clients, each with a key of its own, whose server fetches the keys from the proxy, or has them. */
async function start(t: TestContext, isFetched: boolean) {
  const sandbox = await startSandbox({ client: { id: 'client-one', key: FIRST.privateJwk } });
  t.after(() => sandbox.close());
  const one = sandbox.state.clients.get('client-one');
  assert.ok(one);
  // Inline, the second client is registered with a key that is not ours.
  sandbox.state.clients.set('client-two', { ...one, id: 'client-two' });
  const route = { upstream: sandbox.fhirBase };
  const scopes = ['system/Patient.read'];
  const exchanges: Exchange[] = [];
  const proxy = await createProxyServer(
    configSchema.parse({
      listen: { port: 0 },
      routes: [
        { ...route, path: '/one', client: { id: 'client-one', key: FIRST.text, scopes } },
        { ...route, path: '/two', client: { id: 'client-two', key: SECOND.text, scopes } },
      ],
    }),
    {
      logger: createLogger({ format: 'json', level: 'silent', stream: 2 }),
      onExchange: (exchange) => exchanges.push(exchange),
    },
  );
  t.after(() => proxy.destroy());
  const url = await proxy.listen();
  if (isFetched) {
    for (const client of sandbox.state.clients.values()) {
      client.jwksUri = `${url}/.well-known/jwks.json`;
    }
  }
  return { url, exchanges };
}

describe('published keys', () => {
  it('tell why the second key of a set that the server has just fetched is refused', async (t) => {
    const { url, exchanges } = await start(t, true);
    assert.equal((await fetch(`${url}/one/Patient`)).status, 200);
    assert.equal((await fetch(`${url}/two/Patient`)).status, 503);
    const hint = exchanges.at(-1)?.hints.find(({ id }) => id === 'assertion-sig-mismatch');
    assert.match(hint?.evidence ?? '', /our key is not the first RSA key of the JWK Set/);
    assert.equal(hint?.certainty, 'likely');
  });

  it('say nothing of a set that the server did not fetch', async (t) => {
    const { url, exchanges } = await start(t, false);
    // Somebody else's look at the set, before the token request, is no evidence.
    await fetch(`${url}/.well-known/jwks.json`);
    const asked = Date.now();
    while (Date.now() === asked) await new Promise((resolve) => void setImmediate(resolve));
    assert.equal((await fetch(`${url}/two/Patient`)).status, 503);
    const { hints = [] } = exchanges.at(-1) ?? {};
    assert.doesNotMatch(JSON.stringify(hints), /first RSA key of the JWK Set, the only one/);
    // The registered set is unknown, so its first key stays to be checked.
    assert.match(hints[0]?.fix ?? '', /signing key is the first RSA key of the registered JWK Set/);
  });

  it('are those of now, RSA first, and remember when they were asked for', async () => {
    const clock = createManualClock();
    const published = createPublishedKeys(clock);
    assert.equal(published.fetch(), '{"keys":[]}');
    assert.equal(published.firstRsaKeyFetchedSince(clock.now()), undefined);
    published.publish([
      await loadSigningKey(es384Key().text),
      await loadSigningKey(SECOND.text),
      await loadSigningKey(FIRST.text),
    ]);
    const { keys } = JSON.parse(published.fetch()) as { keys: { kid: string }[] };
    assert.deepEqual(
      keys.map(({ kid }) => kid),
      ['second', 'first', 'test-es384'],
    );
    assert.equal(published.firstRsaKeyFetchedSince(clock.now())?.kid, 'second');
    clock.advance(1);
    assert.equal(published.firstRsaKeyFetchedSince(clock.now()), undefined);
  });
});
