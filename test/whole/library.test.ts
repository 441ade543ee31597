import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';

import { Client } from 'fhir-kit-client';

import { ConfigError, createProxy, type Exchange } from '../../src/index.ts';

const SANDBOX = { listen: { port: 0 }, routes: [{ path: '/fhir', upstream: 'sandbox' as const }] };

test('createProxy listens on a free port, answers, and stops when it is disposed of', async () => {
  const exchanges: Exchange[] = [];
  const proxy = await createProxy(SANDBOX, { onExchange: (exchange) => exchanges.push(exchange) });
  try {
    const response = await fetch(`${proxy.url}/fhir/Patient?_count=2`);
    const bundle = (await response.json()) as { resourceType: string; entry: unknown[] };
    assert.equal(bundle.resourceType, 'Bundle');
    assert.equal(bundle.entry.length, 2);
  } finally {
    await proxy[Symbol.asyncDispose]();
  }
  await assert.rejects(fetch(`${proxy.url}/fhir/Patient`));
  assert.deepEqual(
    exchanges.map(({ status, interaction }) => [status, interaction?.label]),
    [[200, 'search Patient']],
  );
});

test('onExchange is told no field, no token, no id and no value', async () => {
  let told = '';
  const proxy = await createProxy(SANDBOX, {
    onExchange: (exchange) => (told += inspect(exchange, { depth: 9 })),
  });
  try {
    const headers = { 'x-own': 'secret-of-a-field' };
    await (await fetch(`${proxy.url}/fhir/Patient?name=Somebody`, { headers })).text();
    await (await fetch(`${proxy.url}/fhir/Patient/no-such-id`, { headers })).text();
  } finally {
    await proxy.close();
  }
  assert.match(told, /search Patient/);
  assert.match(told, /read Patient/);
  assert.doesNotMatch(told, /Bearer|eyJ|secret-of-a-field|Somebody|no-such-id/i);
});

test('createProxy rejects with every problem at once', async () => {
  const wrong = { routes: [{ path: 'fhir', upstream: 'ftp://x' }], listn: {} };
  await assert.rejects(createProxy(wrong), (error: unknown) => {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.code, 'config-invalid');
    assert.deepEqual(error.problems.map((problem) => problem.path).sort(), [
      'listn',
      'routes[0].client',
      'routes[0].path',
      'routes[0].upstream',
    ]);
    assert.ok(error.problems.every(({ line, column }) => (line ?? column) === undefined));
    assert.doesNotMatch(error.message, /line|column/);
    return true;
  });
});

test('a port in use is told as a configuration problem that names the port', async () => {
  const first = await createProxy(SANDBOX);
  const port = Number(new URL(first.url).port);
  try {
    await assert.rejects(createProxy({ ...SANDBOX, listen: { port } }), (error: unknown) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, new RegExp(`port ${port} .*in use.*--port`));
      return true;
    });
  } finally {
    await first.close();
  }
});

test('a FHIR client that knows nothing of tokens works through the proxy', async () => {
  const proxy = await createProxy(SANDBOX);
  try {
    const client = new Client({ baseUrl: `${proxy.url}/fhir` });
    const capability = (await client.capabilityStatement()) as { resourceType: string };
    assert.equal(capability.resourceType, 'CapabilityStatement');
    type Bundle = { total: number; entry: { resource: { id: string }; fullUrl: string }[] };
    const found = (await client.search({
      resourceType: 'Patient',
      searchParams: { _count: '3' },
    })) as unknown as Bundle;
    const [first] = found.entry;
    assert.ok(first!.fullUrl.startsWith(`${proxy.url}/fhir/`), 'links lead back to the proxy');
    const patient = (await client.read({ resourceType: 'Patient', id: first!.resource.id })) as {
      id?: string;
    };
    assert.equal(patient.id, first!.resource.id);
  } finally {
    await proxy.close();
  }
});
