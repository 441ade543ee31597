/**
 * What runs as script in the proxy's own origin, such as a document of the upstream in a browser that
 * ignores its sandbox, counts as "same origin" for the inspector. It gets neither data nor actions.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { type Started, startProxy } from '../support/proxy.ts';

/** What a browser sends for a page of the proxy's own origin. */
const scripted = ({ url }: Started) => ({
  'sec-fetch-site': 'same-origin',
  'sec-fetch-mode': 'cors',
  'sec-fetch-dest': 'empty',
  origin: url,
});
const PATHS: readonly (readonly [method: string, path: string])[] = [
  ['GET', 'exchanges'],
  ['GET', 'exchanges.har'],
  ['GET', 'overview'],
  ['GET', 'status'],
  ['GET', 'metrics'],
  ['GET', 'events'],
  ['DELETE', 'exchanges'],
  ['POST', 'routes/fhir/renew'],
  ['POST', 'routes/fhir/check'],
];

async function keyOf({ url }: Started): Promise<string> {
  const page = await (await fetch(`${url}/_proxy/`)).text();
  return /name="inspector-key" content="([\w-]{24})"/.exec(page)?.[1] ?? '';
}

describe('the inspector', () => {
  it('gives a page without its key nothing', async (t) => {
    const started = await startProxy(t);
    const headers = scripted(started);
    for (const [method, path] of PATHS) {
      for (const key of ['', '?key=', `?key=${'x'.repeat(24)}`]) {
        const response = await fetch(`${started.url}/_proxy/${path}${key}`, { method, headers });
        assert.equal(response.status, 403, `${method} ${path}${key}`);
        await response.text();
      }
    }
    assert.equal(started.authorization.requests.length, 0);
  });

  it('does not hand its page, and the key in it, to a script, a frame or a worker', async (t) => {
    const started = await startProxy(t);
    for (const dest of ['empty', 'iframe', 'frame', 'object', 'embed', 'script', 'serviceworker']) {
      const headers = { ...scripted(started), 'sec-fetch-dest': dest };
      const response = await fetch(`${started.url}/_proxy/`, { headers });
      assert.equal(response.status, 403, dest);
      assert.doesNotMatch(await response.text(), /inspector-key/);
    }
  });

  it('gives its own page what it asks for: the key in a header, or where none can be set in the address', async (t) => {
    const started = await startProxy(t);
    const key = await keyOf(started);
    const headers = { ...scripted(started), 'x-inspector-key': key };
    assert.equal((await fetch(`${started.url}/_proxy/exchanges`, { headers })).status, 200);
    const renew = await fetch(`${started.url}/_proxy/routes/fhir/renew`, {
      method: 'POST',
      headers,
    });
    assert.equal(renew.status, 200);
    const har = `${started.url}/_proxy/exchanges.har?key=${key}`;
    assert.equal((await fetch(har, { headers: scripted(started) })).status, 200);
  });

  it('has a new key at every start', async (t) => {
    const keys = [await keyOf(await startProxy(t)), await keyOf(await startProxy(t))];
    assert.notEqual(keys[0], '');
    assert.notEqual(keys[0], keys[1]);
  });

  it('answers an address typed by hand, and programs, without it', async (t) => {
    const { url } = await startProxy(t);
    const typed = { 'sec-fetch-site': 'none', 'sec-fetch-dest': 'document' };
    for (const headers of [typed, {}]) {
      assert.equal((await fetch(`${url}/_proxy/exchanges`, { headers })).status, 200);
    }
  });
});
