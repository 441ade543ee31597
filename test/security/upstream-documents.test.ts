/**
 * A document of the upstream, opened through the proxy, has the proxy's origin: as script it could read
 * health data and the inspector, renew tokens, and stay as a service worker (the class of CVE-2023-39017
 * of attachment viewers).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { chromiumPath, launchBrowser } from '../support/browser.ts';
import { startProxy } from '../support/proxy.ts';

const TYPES = [
  'text/html',
  'image/svg+xml',
  'application/xml',
  'application/xhtml+xml',
  'text/javascript',
  'application/fhir+json',
] as const;

/** Reads what it can, acts where it can, and says so in the title of its page. */
const SCRIPT = `(async () => {
  const got = [];
  for (const path of ['/fhir/Patient', '/_proxy/exchanges']) {
    await fetch(path).then((r) => r.ok && got.push(path), () => {});
  }
  await navigator.serviceWorker?.register('/fhir/Binary/worker', { scope: '/' }).then(() => got.push('worker'), () => {});
  document.title = 'acted: ' + got.join(' ');
})()`;

describe('a document of the upstream', () => {
  for (const type of TYPES) {
    it(`as ${type} carries what keeps it apart`, async (t) => {
      const { fetch } = await startProxy(t, {
        fhir: () => (_request, response) => {
          response
            .writeHead(200, { 'content-type': type, 'service-worker-allowed': '/' })
            .end('{}');
        },
      });
      const { headers } = await fetch('/fhir/Binary/1');
      assert.match(headers.get('content-security-policy') ?? '', /^sandbox; default-src 'none'/);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('cross-origin-resource-policy'), 'same-site');
      assert.equal(headers.get('service-worker-allowed'), null);
    });
  }

  const skip = chromiumPath === undefined && 'no Chromium is installed';

  it('runs no script in a browser, and FHIR JSON still opens in a tab', { skip }, async (t) => {
    const browser = await launchBrowser();
    t.after(() => browser.close());
    const { url } = await startProxy(t, {
      fhir: () => (request, response) => {
        const isPage = request.url?.endsWith('/Binary/page') === true;
        response
          .writeHead(200, { 'content-type': isPage ? 'text/html' : 'application/fhir+json' })
          .end(
            isPage
              ? `<title>shown</title><script>${SCRIPT}</script>`
              : '{"resourceType":"Patient"}',
          );
      },
    });
    const page = await browser.newPage();
    await page.goto(`${url}/fhir/Binary/page`, { waitUntil: 'networkidle' });
    assert.equal(await page.title(), 'shown');
    await page.goto(`${url}/fhir/Patient/1`);
    assert.match((await page.textContent('body')) ?? '', /"resourceType": ?"Patient"/);
  });
});
