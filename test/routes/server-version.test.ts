import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';

import { Agent } from 'undici';

import { createDiscovery, type SmartConfiguration } from '../../src/auth/discovery.ts';
import { isModernVersion } from '../../src/fhir/openemr-version.ts';
import {
  createServerVersionSource,
  judgeSmartConfiguration,
  judgeStatement,
  type ServerVersionSource,
} from '../../src/routes/server-version.ts';
import { startSandbox } from '../../src/sandbox/index.ts';
import { createManualClock, type ManualClock } from '../support/clock.ts';
import { loadTranscripts } from '../support/conformance/transcript.ts';
import { createTestLog, type TestLog } from '../support/log.ts';

interface Setup {
  source: ServerVersionSource;
  clock: ManualClock;
  log: TestLog;
}

function setUp(t: TestContext, fhirBase: string): Setup {
  const dispatcher = new Agent();
  const clock = createManualClock();
  const log = createTestLog();
  const shared = { dispatcher, timeoutMs: 5_000, clock, logger: log.logger };
  const discovery = createDiscovery({ ...shared, fhirBase: new URL(fhirBase) });
  const source = createServerVersionSource({ ...shared, fhirBase, discovery, delayMs: 0 });
  t.after(() => {
    source.close();
    return dispatcher.destroy();
  });
  return { source, clock, log };
}

const saidBy = (log: TestLog): string[] => log.entries('info').map(({ msg }) => msg);

async function serveUpstream(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('the version of a server', () => {
  test('is the one that OpenEMR 7.0.3 tells in its CapabilityStatement', async (t) => {
    const sandbox = await startSandbox({ version: '7.0.3' });
    t.after(() => sandbox.close());
    const { source, log } = setUp(t, sandbox.fhirBase);
    assert.equal(source.known(), undefined);
    const found = await source.find();
    assert.deepEqual(found, {
      version: '7.0.3',
      modern: false,
      source: 'metadata',
      label: 'OpenEMR 7.0.3',
      comparable: '7.0.3',
    });
    assert.equal(source.known(), found);
    assert.match(saidBy(log).join('\n'), /the server is OpenEMR 7\.0\.3/);
  });

  test('is asked for at /api/version where the CapabilityStatement leaves it out, as of OpenEMR 8', async (t) => {
    const sandbox = await startSandbox({ version: '8.0.0' });
    t.after(() => sandbox.close());
    const { source } = setUp(t, sandbox.fhirBase);
    const { version, modern, source: by, label } = await source.find();
    assert.deepEqual([version, modern, by], ['8.0.0-dev', true, 'api-version']);
    assert.equal(label, 'OpenEMR 8.0.0-dev');
  });

  test('is that of the newer family, and the log says so, when nothing tells it', async (t) => {
    const base = await serveUpstream(t, (_request, response) => response.writeHead(404).end());
    const { source, log } = setUp(t, `${base}/fhir`);
    const found = await source.find();
    assert.deepEqual([found.source, found.modern], ['assumed', true]);
    assert.match(
      saidBy(log).join('\n'),
      /does not tell its version: it is taken for OpenEMR 7\.0\.4/,
    );
    await source.find();
    assert.equal(saidBy(log).filter((line) => /taken for/.test(line)).length, 1, 'told once');
  });

  test('is told by the shape of discovery before anything was asked', async (t) => {
    const base = await serveUpstream(t, ({ headers, url = '' }, response) => {
      const token = `http://${headers.host}/oauth2/default/token`;
      const document = { token_endpoint: token, capabilities: ['permission-v2'] };
      if (url.endsWith('smart-configuration')) response.end(JSON.stringify(document));
      else response.writeHead(500).end();
    });
    const { source } = setUp(t, `${base}/apis/default/fhir`);
    const found = await source.find();
    assert.deepEqual([found.source, found.label], ['discovery', 'OpenEMR 7.0.4 or later']);
    assert.equal(found.version, undefined);
  });

  test('is asked for once in an hour, then again, and an upgrade is told', async (t) => {
    let version = '7.0.3';
    let asked = 0;
    const base = await serveUpstream(t, ({ url = '' }, response) => {
      if (!url.endsWith('/metadata')) {
        response.writeHead(404).end();
        return;
      }
      asked += 1;
      const software = { name: 'OpenEMR', version };
      response.end(JSON.stringify({ resourceType: 'CapabilityStatement', software }));
    });
    const { source, clock, log } = setUp(t, `${base}/fhir`);
    await Promise.all([source.find(), source.find()]);
    await source.find();
    assert.equal(asked, 1);
    version = '7.0.4';
    clock.advance(3_600_000);
    assert.equal((await source.find()).label, 'OpenEMR 7.0.4');
    assert.equal(asked, 2);
    const told = saidBy(log).filter((line) => line.includes('the server is'));
    assert.equal(told.length, 2);
  });

  test('is not asked for after the end', async (t) => {
    let asked = 0;
    const base = await serveUpstream(t, (_request, response) => {
      asked += 1;
      response.end('{}');
    });
    const { source } = setUp(t, `${base}/fhir`);
    source.findSoon();
    source.close();
    source.findSoon();
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(asked, 0);
  });
});

describe('judging', () => {
  test('the recorded documents tell version and family', () => {
    const statementOf = (version: string) =>
      judgeStatement(loadTranscripts(version).get(373)?.response.body as Record<string, unknown>);
    assert.equal(statementOf('7.0.3')?.label, 'OpenEMR 7.0.3');
    assert.equal(statementOf('8.0.0'), undefined);
    const shapeOf = (version: string) => {
      const body = loadTranscripts(version).get(379)?.response.body as Record<string, unknown>;
      return judgeSmartConfiguration({
        tokenEndpoint: body['token_endpoint'],
        capabilities: body['capabilities'],
      } as SmartConfiguration);
    };
    assert.equal(shapeOf('7.0.3')?.modern, false);
    assert.equal(shapeOf('8.0.0')?.modern, true);
  });

  test('a statement without a version tells nothing; a name is shown without control characters', () => {
    const judge = (software: unknown) => judgeStatement({ software });
    assert.equal(judgeStatement(undefined), undefined);
    for (const software of [undefined, null, 'x', {}, { version: '' }, { version: 7 }]) {
      assert.equal(judge(software), undefined);
    }
    const other = judge({ name: 'Other', version: '6.1' });
    assert.deepEqual([other?.label, other?.modern], ['Other 6.1', true]);
    assert.equal(judge({ name: 'a\u001b[31mb', version: '8.0.0' })?.label, 'a[31mb 8.0.0');
  });

  test('the discovery of another server tells nothing', () => {
    const smart = { tokenEndpoint: 'https://ehr.example/token', capabilities: ['permission-v2'] };
    assert.equal(judgeSmartConfiguration(smart as unknown as SmartConfiguration), undefined);
  });

  test('a version belongs to the family that began with 7.0.4, or to the one before', () => {
    const CASES: readonly [string, boolean][] = [
      ['6.1.0', false],
      ['7.0.3', false],
      ['7.0.3-patch2', false],
      ['v7.0.2', false],
      ['7.0.4', true],
      ['7.1.0', true],
      ['8.0.0-dev', true],
      ['10.0.0', true],
      ['unknown', true],
    ];
    for (const [version, modern] of CASES) assert.equal(isModernVersion(version), modern, version);
  });
});
