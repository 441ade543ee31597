import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';

import { sendAgain } from '../../src/observe/inspector/send-again.ts';
import { buildExchangeOf } from '../support/exchange.ts';
import { assertHar } from '../support/har.ts';
import { startProxy, type Started, type StartOptions } from '../support/proxy.ts';

/** An event of the stream; members by event name. */
interface StreamEvent {
  event: string;
  data: {
    showValues?: boolean;
    reset?: boolean;
    list: { id: string; interaction: string; outcome: string }[];
    traffic: unknown[];
  };
}

const JSON_TYPE = { 'content-type': 'application/fhir+json' };

/** Answers a search with values in fields and body, a read, and 404 for `missing`. */
const fhir: StartOptions['fhir'] = () => (request, response) => {
  request.resume();
  request.once('end', () => {
    if (request.url?.includes('missing')) {
      response.writeHead(404, JSON_TYPE).end('{"resourceType":"OperationOutcome","issue":[]}');
      return;
    }
    response
      .writeHead(200, {
        ...JSON_TYPE,
        'x-request-id': 'zqmark-field',
        'set-cookie': 'OpenEMR=zqmark-cookie',
        etag: 'W/"zqmark-etag"',
      })
      .end('{"resourceType":"Patient","id":"zqmark-body"}');
  });
};

const start = (t: TestContext, options: StartOptions = {}) => startProxy(t, { fhir, ...options });

async function getJson(started: Started, path: string, init?: RequestInit) {
  const response = await started.fetch(path, init);
  return JSON.parse(await response.text());
}

/** Reads server-sent events until `enough`, then leaves. */
async function readEvents(
  url: string,
  enough: (events: StreamEvent[]) => boolean,
  opened: () => unknown = () => undefined,
) {
  const request = httpRequest(`${url}/_proxy/events`);
  request.end();
  const [response] = await once(request, 'response');
  const events: StreamEvent[] = [];
  let text = '';
  let asked = false;
  for await (const chunk of response) {
    text += chunk;
    const parts = text.split('\n\n');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const event = /^event: (.*)$/m.exec(part)?.[1];
      const data = /^data: (.*)$/m.exec(part)?.[1];
      if (event !== undefined && data !== undefined) events.push({ event, data: JSON.parse(data) });
    }
    if (!asked && events.some(({ event }) => event === 'overview')) {
      asked = true;
      void opened();
    }
    if (enough(events)) break;
  }
  request.destroy();
  return events;
}

suite('the page', () => {
  test('is served with a strict policy and only files of its own', async (t) => {
    const started = await start(t);
    const page = await started.fetch('/_proxy/');
    assert.equal(page.status, 200);
    assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
    const policy = page.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
    assert.doesNotMatch(policy, /unsafe|\*|data:|https?:/);
    assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(page.headers.get('cache-control'), 'no-store');

    const html = await page.text();
    assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|<style|\son[a-z]+=|\sstyle=|https?:\/\//);
    const files = [...html.matchAll(/(?:src|href)="(page\/[^"]+)"/g)].map(([, file]) => file);
    assert.ok(files.length >= 5);
    for (const file of files) {
      const response = await started.fetch(`/_proxy/${file}`);
      assert.equal(response.status, 200, file);
      assert.match(
        response.headers.get('content-type') ?? '',
        /^(?:text\/(?:css|javascript)|image\/svg)/,
      );
    }
  });

  test('every module that a script imports is served', async (t) => {
    const started = await start(t);
    const seen = new Set<string>();
    const visit = async (name: string): Promise<void> => {
      if (seen.has(name)) return;
      seen.add(name);
      const response = await started.fetch(`/_proxy/page/${name}`);
      assert.equal(response.status, 200, name);
      const code = await response.text();
      for (const [, next = ''] of code.matchAll(/^import .*? from '\.\/([^']+)';$/gms)) {
        await visit(next);
      }
    };
    await visit('main.js');
    assert.ok(seen.size > 8, [...seen].join());
  });

  test('nothing outside its folder can be asked for', async (t) => {
    const started = await start(t);
    for (const name of ['tsconfig.json', '..%2Finspector.ts', 'nothing.js', 'constructor', '']) {
      const response = await started.fetch(`/_proxy/page/${name}`);
      assert.notEqual(response.status, 200, name);
    }
  });

  test('/_proxy leads to /_proxy/', async (t) => {
    const started = await start(t);
    const response = await started.fetch('/_proxy');
    assert.equal(response.status, 308);
    assert.equal(response.headers.get('location'), '/_proxy/');
  });
});

suite('who may ask', () => {
  test('pages of other origins are refused, also those that may ask for FHIR', async (t) => {
    const started = await start(t);
    for (const headers of [
      { origin: 'http://localhost:5173' },
      { origin: `http://127.0.0.1:${started.port + 1}` },
      { 'sec-fetch-site': 'same-site' },
    ]) {
      const response = await started.fetch('/_proxy/exchanges', { headers });
      assert.equal(response.status, 403, JSON.stringify(headers));
      assert.equal(response.headers.get('access-control-allow-origin'), null);
    }
  });

  test('a page of elsewhere can neither renew, nor clear, nor send again', async (t) => {
    const started = await start(t);
    await started.fetch('/fhir/Patient');
    const headers = { origin: 'http://localhost:5173' };
    const [{ id }] = await getJson(started, '/_proxy/exchanges');
    for (const [method, path] of [
      ['POST', 'routes/fhir/renew'],
      ['DELETE', 'exchanges'],
      ['POST', `exchanges/${id}/send-again`],
    ]) {
      const response = await started.fetch(`/_proxy/${path}`, { method: method!, headers });
      assert.equal(response.status, 403, path);
    }
    assert.equal(started.authorization.requests.length, 1);
    assert.equal((await getJson(started, '/_proxy/exchanges')).length, 1);
  });

  test('other methods are refused with what is allowed', async (t) => {
    const started = await start(t);
    for (const [path, allow] of [
      ['overview', 'GET, HEAD'],
      ['events', 'GET'],
      ['routes/fhir/renew', 'POST'],
      ['exchanges', 'GET, HEAD, POST, DELETE'],
    ]) {
      const response = await started.fetch(`/_proxy/${path}`, { method: 'PUT', body: '' });
      assert.equal(response.status, 405, path);
      assert.equal(response.headers.get('allow'), allow);
    }
  });

  test('what is not there is 404', async (t) => {
    const started = await start(t);
    for (const path of ['nothing', 'exchanges/zzz', 'exchangesfoo', 'routes/other/renew']) {
      const method = path.startsWith('routes') ? 'POST' : 'GET';
      assert.equal((await started.fetch(`/_proxy/${path}`, { method })).status, 404, path);
    }
  });
});

suite('exchanges', () => {
  test('are listed with what the proxy removed and added', async (t) => {
    const started = await start(t);
    await started.fetch('/fhir/Patient?name=x', {
      headers: { cookie: 'a=b', accept: 'application/fhir+json' },
    });
    const [exchange] = await getJson(started, '/_proxy/exchanges');
    assert.equal(exchange.interaction, 'search Patient');
    assert.equal(exchange.target, '/fhir/Patient?name=REDACTED');
    assert.equal(exchange.status, 200);
    assert.equal(exchange.token, 'fresh');
    const { timings } = exchange;
    const order = [
      timings.gateMs,
      timings.tokenMs,
      timings.sentMs,
      timings.upstreamMs,
      timings.totalMs,
    ];
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
    );
    assert.ok(order.every((ms) => typeof ms === 'number'));
    const changes = (fields: { name: string; change?: string }[]) =>
      Object.fromEntries(fields.map(({ name, change }) => [name.toLowerCase(), change]));
    assert.equal(changes(exchange.requestFields.received)['cookie'], 'removed');
    assert.equal(changes(exchange.requestFields.received)['accept'], undefined);
    assert.equal(changes(exchange.requestFields.sent)['authorization'], 'added');
    assert.equal(changes(exchange.responseFields.returned)['server-timing'], 'added');
    assert.ok(exchange.responseFields.withheld.includes('set-cookie'));
    assert.equal(
      exchange.curl,
      `curl -i '${started.url}/fhir/Patient?name=REDACTED' -H 'accept: application/fhir+json' -H 'accept-language: *'`,
    );
  });

  test('refused ones are listed, own paths are not', async (t) => {
    const started = await start(t);
    await started.fetch('/nowhere');
    await started.fetch('/_proxy/status');
    const list = await getJson(started, '/_proxy/exchanges');
    assert.deepEqual(
      list.map(({ status, outcome }: { status: number; outcome: string }) => [status, outcome]),
      [[404, 'refused']],
    );
  });

  test('can be forgotten', async (t) => {
    const started = await start(t);
    await started.fetch('/fhir/Patient');
    assert.equal((await started.fetch('/_proxy/exchanges', { method: 'DELETE' })).status, 204);
    assert.deepEqual(await getJson(started, '/_proxy/exchanges'), []);
  });

  test('can be sent again through the whole proxy', async (t) => {
    const started = await start(t);
    await started.fetch('/fhir/Patient?name=x', { headers: { 'x-custom': 'kept' } });
    const [{ id }] = await getJson(started, '/_proxy/exchanges');
    const answer = await getJson(started, `/_proxy/exchanges/${id}/send-again`, { method: 'POST' });
    assert.deepEqual(answer, { status: 200 });
    const [first, second] = started.received;
    assert.equal(second?.url, first?.url);
    assert.equal(second?.headers['x-custom'], 'kept');
    assert.equal((await getJson(started, '/_proxy/exchanges')).length, 2);
  });

  test('a request with a body is not sent again', async (t) => {
    const started = await start(t);
    await started.fetch('/fhir/Patient/_search', { method: 'POST', body: 'name=x' });
    const [{ id, canSendAgain }] = await getJson(started, '/_proxy/exchanges');
    assert.equal(canSendAgain, false);
    const response = await started.fetch(`/_proxy/exchanges/${id}/send-again`, { method: 'POST' });
    assert.equal(response.status, 409);
    assert.equal(started.received.length, 1);
  });

  test('nothing is sent again from a Unix socket, which has no port to send it to', async (t) => {
    const path = join(mkdtempSync(join(tmpdir(), 'inspector-')), 'socket');
    const answers: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      sendAgain(buildExchangeOf('GET', '/Patient'), request.socket, (error) => {
        answers.push(error);
        response.end();
      });
    });
    t.after(() => server.close());
    server.listen(path);
    await once(server, 'listening');
    const request = httpRequest({ socketPath: path });
    request.end();
    const [response] = await once(request, 'response');
    response.resume();
    assert.deepEqual(answers, ['what came over a Unix socket cannot be sent again from here']);
  });

  test('are exported as an HTTP Archive', async (t) => {
    const started = await start(t);
    await started.fetch('/fhir/Patient?name=x');
    await started.fetch('/fhir/Patient/missing');
    const response = await started.fetch('/_proxy/exchanges.har');
    assert.match(response.headers.get('content-disposition') ?? '', /\.har"$/);
    const har = JSON.parse(await response.text());
    await assertHar(har);
    assert.equal(har.log.entries.length, 2);
  });

  test('make a report that holds no values even when they are shown', async (t) => {
    const started = await start(t, { config: { log: { showValues: true } } });
    await started.fetch('/fhir/Patient/zqmark-id?name=zqmark-value');
    const [{ id, target }] = await getJson(started, '/_proxy/exchanges');
    assert.equal(target, '/fhir/Patient/zqmark-id?name=zqmark-value');
    const report = await getJson(started, `/_proxy/exchanges/${id}/report`);
    assert.equal(report.response.status, 200);
    assert.equal(report.response.content_type, 'application/fhir+json');
    assert.deepEqual(report.error_log_lines, []);
    assert.doesNotMatch(JSON.stringify(report), /zqmark/);
  });
});

/** How many exchanges have ended, by the events so far; they come in one event or in several. */
function finishedIn(events: StreamEvent[]): number {
  const listed = events.flatMap(({ event, data }) => (event === 'exchanges' ? data.list : []));
  return new Set(listed.filter(({ outcome }) => outcome !== 'pending').map(({ id }) => id)).size;
}

suite('privacy', () => {
  test('no id, value or credential is in any event, list, archive, metric, status or log line', async (t) => {
    const started = await start(t);
    const { fetch, url, watch } = started;
    const drive = async () => {
      await fetch('/fhir/Patient/zqmark-id?name=zqmark-value&zqmarkvalue', {
        headers: {
          authorization: 'Bearer zqmark-client-token',
          cookie: 'a=zqmark-cookie',
          'x-custom': 'zqmark-custom',
          referer: 'http://localhost/zqmark-referer',
        },
      });
      await fetch('/fhir/Patient/_search', { method: 'POST', body: 'name=zqmark-form' });
      await fetch('/fhir/Patient/missing-zqmark');
      await fetch('/1zqmark-path');
    };
    const events = await readEvents(url, (seen) => finishedIn(seen) === 4, drive);
    const seen = [JSON.stringify(events)];
    const list = await getJson(started, '/_proxy/exchanges');
    assert.equal(list.length, 4);
    for (const path of ['', '.har', ...list.map(({ id }: { id: string }) => `/${id}/report`)]) {
      seen.push(await (await fetch(`/_proxy/exchanges${path}`)).text());
    }
    for (const path of ['overview', 'status', 'metrics']) {
      seen.push(await (await fetch(`/_proxy/${path}`)).text());
    }
    seen.push(started.log());
    for (const text of seen) {
      assert.ok(text.length > 100);
      const at = text.indexOf('zqmark');
      assert.equal(at, -1, text.slice(Math.max(0, at - 100), at + 30));
    }
    watch.addBody(seen.join('\n'));
  });

  test('with values shown there are paths, fields and bodies, and still no credential', async (t) => {
    const started = await start(t, { config: { log: { showValues: true } } });
    await started.fetch('/fhir/Patient/_search', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', cookie: 'a=zqmark-cookie' },
      body: 'name=zqmark-form',
    });
    const [exchange] = await getJson(started, '/_proxy/exchanges');
    assert.equal(exchange.requestBody.text, 'name=zqmark-form');
    assert.equal(exchange.responseBody.text, '{"resourceType":"Patient","id":"zqmark-body"}');
    assert.match(JSON.stringify(exchange.responseFields), /zqmark-etag/);
    assert.doesNotMatch(JSON.stringify(exchange), /zqmark-cookie/);
    const text = await (await started.fetch('/_proxy/exchanges.har')).text();
    await assertHar(JSON.parse(text));
    assert.match(text, /zqmark-body/);
  });
});

suite('events', () => {
  test('begin with what is kept, and tell what happens', async (t) => {
    const started = await start(t);
    await started.fetch('/fhir/Patient/1');
    const events = await readEvents(
      started.url,
      (seen) =>
        seen.some(
          ({ event, data }) =>
            event === 'exchanges' &&
            data.list.some(({ interaction }) => interaction === 'search Patient'),
        ),
      () => started.fetch('/fhir/Patient'),
    );
    assert.deepEqual(
      events.slice(0, 3).map(({ event }) => event),
      ['hello', 'exchanges', 'overview'],
    );
    assert.deepEqual(events[0]?.data.showValues, false);
    assert.equal(events[1]?.data.reset, true);
    assert.deepEqual(
      events[1]?.data.list.map(({ interaction }) => interaction),
      ['read Patient'],
    );
    assert.equal(events[2]?.data.traffic.length, 90);
  });

  test('end when the proxy stops, which does not wait for open pages', async (t) => {
    const started = await start(t);
    let stopped: Promise<void> | undefined;
    const startedAt = performance.now();
    await readEvents(
      started.url,
      () => false,
      () => (stopped = started.proxy.close()),
    );
    await stopped;
    assert.ok(stopped !== undefined);
    assert.ok(performance.now() - startedAt < 5000, 'well before the drain of 10 s is over');
  });
});

suite('tokens and scopes', () => {
  test('the overview tells the state of the token and the scopes needed', async (t) => {
    const started = await start(t, {
      scopes: ['system/Patient.read', 'system/Group.read'],
      authorization: { registeredScopes: ['system/Patient.read'] },
    });
    const before = await getJson(started, '/_proxy/overview');
    assert.equal(before.routes[0].token.state, 'none');
    await started.fetch('/fhir/Patient');
    const { routes, traffic } = await getJson(started, '/_proxy/overview');
    const [{ path, token, scopes, key }] = routes;
    assert.equal(path, '/fhir');
    assert.equal(token.state, 'live');
    assert.deepEqual(token.missingScopes, ['system/Group.read']);
    assert.equal(token.requests, 1);
    assert.equal(key.algorithm, 'RS384');
    assert.deepEqual(scopes.v1, ['system/Patient.read']);
    assert.equal(
      traffic.reduce((sum: number, point: { requests: number }) => sum + point.requests, 0),
      1,
    );
  });

  test('a token can be renewed', async (t) => {
    const started = await start(t);
    await started.fetch('/fhir/Patient');
    const route = await getJson(started, '/_proxy/routes/fhir/renew', { method: 'POST' });
    assert.equal(route.token.generation, 2);
    assert.equal(started.authorization.issued.length, 2);
  });

  test('a renewal that fails says why, and the overview explains it', async (t) => {
    const started = await start(t);
    started.authorization.scriptToken({ status: 401, body: { error: 'invalid_client' } });
    const response = await started.fetch('/_proxy/routes/fhir/renew', { method: 'POST' });
    assert.equal(response.status, 502);
    const { error } = JSON.parse(await response.text());
    assert.match(error, /invalid_client/);
    const first = (await getJson(started, '/_proxy/overview')).routes[0];
    assert.equal(first.token.state, 'failed');
    assert.equal(typeof first.token.lastError.code, 'string');
    // The explanation may still be waiting for lines of the error log.
    for (let tries = 0, hints = []; hints.length === 0; tries += 1) {
      hints = (await getJson(started, '/_proxy/overview')).routes[0].token.hints;
      assert.ok(tries < 100, 'explained');
    }
  });
});

suite('status and metrics', () => {
  test('the status is for people and scripts', async (t) => {
    const started = await start(t);
    await started.fetch('/fhir/Patient');
    await started.fetch('/fhir/Patient/missing');
    const status = await getJson(started, '/_proxy/status');
    assert.match(status.version, /^\d+\.\d+\.\d+/);
    assert.equal(status.tokens, 'live');
    assert.equal(status.uptimeSeconds >= 0, true);
    assert.deepEqual(status.requests, {
      requests: 2,
      clientErrors: 1,
      serverErrors: 0,
      inFlight: 0,
    });
    assert.equal(status.routes[0].path, '/fhir');
  });

  test('the metrics count what went through', async (t) => {
    const started = await start(t);
    await started.fetch('/fhir/Patient');
    const response = await started.fetch('/_proxy/metrics');
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    const page = await response.text();
    const line =
      'fhir_auth_proxy_requests_total{route="/fhir",interaction="search",status="2xx"} 1';
    assert.ok(page.includes(line));
    assert.match(page, /^fhir_auth_proxy_client_connections [1-9]/m);
    assert.match(
      page,
      /^fhir_auth_proxy_upstream_connections\{route="\/fhir",state="connected"\} 1$/m,
    );
    const requests = 'fhir_auth_proxy_token_requests_total{route="/fhir",outcome="granted"';
    assert.ok(page.includes(`${requests},reason="first"} 1`));
    assert.match(page, /^fhir_auth_proxy_token_live\{route="\/fhir"\} 1$/m);
  });
});
