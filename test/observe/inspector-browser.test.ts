/** The inspector as people use it: a real browser, the real page, the real proxy and sandbox. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, suite, test, type TestContext } from 'node:test';

import type { Browser, Page } from 'playwright-core';

import { chromiumPath, findSeriousViolations, launchBrowser } from '../support/browser.ts';
import { assertHar } from '../support/har.ts';
import { startProxy, type Started, type StartOptions } from '../support/proxy.ts';

const skip =
  chromiumPath === undefined ? 'no Chromium is installed: apt-get install chromium' : false;

const TYPE = { 'content-type': 'application/fhir+json' };

/** A Bundle with ten entries below `Patient`, 401 for `Practitioner`, 404 for an id. */
const fhir: StartOptions['fhir'] = () => (request, response) => {
  request.resume();
  const url = request.url ?? '';
  if (url.includes('/Practitioner')) response.writeHead(401).end();
  else if (/\/Patient\/./.test(url)) {
    response.writeHead(404, TYPE).end('{"resourceType":"OperationOutcome","issue":[]}');
  } else {
    const entry = Array.from({ length: 10 }, (_, index) => ({
      resource: { resourceType: 'Patient', id: `zqmark-${index}` },
    }));
    response.writeHead(200, TYPE).end(JSON.stringify({ resourceType: 'Bundle', entry }));
  }
};

interface Opened extends Started {
  page: Page;
}

suite('inspector in a browser', { skip }, () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser.close());

  /** The page of a new proxy; when the test ends, it must have had no error and broken no policy. */
  async function open(
    t: TestContext,
    options: StartOptions & { dark?: boolean; refusals?: RegExp } = {},
  ): Promise<Opened> {
    const started = await startProxy(t, { ...options, fhir: fhir as NonNullable<typeof fhir> });
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      colorScheme: options.dark ? 'dark' : 'light',
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      // A refusal that a test asks for is reported by the browser as an error of its own.
      const { refusals = /status of 502/ } = options;
      if (message.type() === 'error' && !refusals.test(message.text())) {
        complaints.push(message.text());
      }
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith(started.url)) complaints.push(`outside: ${request.url()}`);
    });
    await page.addInitScript(
      `document.addEventListener('securitypolicyviolation', (event) =>
        console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI));`,
    );
    await page.goto(`${started.url}/_proxy/`);
    await page.waitForSelector('#connection.live');
    t.after(async () => {
      await context.close();
      assert.deepEqual(complaints, []);
    });
    return { ...started, page };
  }

  const rows = (page: Page) => page.locator('#list tr:has(.open-row)');
  const labels = (page: Page) => page.locator('#list .open-row').allTextContents();
  const clipboard = (page: Page) => page.evaluate<string>('navigator.clipboard.readText()');

  test('tells what to do first, and the command works', async (t) => {
    const { page, url } = await open(t);
    await page.waitForSelector('#empty h2');
    const command = String(await page.locator('#empty code').textContent());
    assert.equal(command, `curl ${url}/fhir/Patient`);
    await page.click('#empty button');
    await page.waitForSelector('#notice.shown');
    assert.equal(await clipboard(page), command);
    await fetch(command.slice('curl '.length));
    await rows(page).first().waitFor();
    assert.equal(await page.locator('#empty').isVisible(), false);
  });

  test('exchanges arrive live, newest first, and can be filtered', async (t) => {
    const { page, fetch } = await open(t);
    await fetch('/fhir/Patient?name=x');
    await rows(page).first().waitFor();
    await fetch('/fhir/Patient/1');
    await page.waitForSelector('#list tr:has-text("404")');
    assert.deepEqual(await labels(page), ['read Patient', 'search Patient']);

    await page.fill('#filter', 'read');
    assert.deepEqual(await labels(page), ['read Patient']);
    await page.fill('#filter', 'name 200');
    assert.deepEqual(await labels(page), ['search Patient']);
    await page.fill('#filter', 'nothing like this');
    assert.deepEqual(await labels(page), []);
    assert.match(String(await page.locator('#list').textContent()), /No exchange matches/);
    await page.fill('#filter', '');
    await page.click('#classes button:has-text("4xx")');
    assert.deepEqual(await labels(page), ['read Patient']);
    assert.equal(await page.locator('#count').textContent(), '1 of 2');
    await page.click('#classes button:has-text("4xx")');
    assert.equal(await rows(page).count(), 2);
  });

  test('pauses, resumes with what came meanwhile, and clears', async (t) => {
    const { page, fetch, exchanges } = await open(t);
    await fetch('/fhir/Patient');
    await rows(page).first().waitFor();
    await page.click('#pause');
    await fetch('/fhir/Patient/1');
    await page.waitForSelector('#pause:has-text("Resume (")');
    assert.equal(await rows(page).count(), 1);
    await page.click('#pause');
    await page.waitForSelector('#list tr:has-text("404")');
    assert.equal(exchanges.filter(({ route }) => route !== undefined).length, 2);
    await page.click('#clear');
    await page.waitForSelector('#empty h2');
    assert.equal(await rows(page).count(), 0);
  });

  test('shows the details of an exchange: hint, timing, fields, nothing secret', async (t) => {
    const { page, fetch, watch } = await open(t);
    await fetch('/fhir/Practitioner', { headers: { cookie: 'a=b' } });
    await page.waitForSelector('#list .hint .badge');
    await page.click('#with-hint');
    await page.click('#list .open-row');
    const details = page.locator('#details');
    await details.locator('.waterfall').waitFor();
    const text = String(await details.textContent());
    for (const part of [
      'search Practitioner',
      'Cause',
      'Fix',
      'Gate',
      'Token',
      'First byte',
      'Whole',
    ]) {
      assert.ok(text.includes(part), part);
    }
    const marked = (change: string) => details.locator(`tr.${change} th`).allTextContents();
    assert.deepEqual(
      (await marked('removed')).filter((name) => /cookie/i.test(name)),
      ['cookie'],
    );
    assert.ok((await marked('added')).includes('Authorization'));
    assert.match(text, /Bearer …/);
    assert.match(page.url(), /#[a-z0-9]+$/);
    watch.addBody(await page.content());
  });

  test('copies as curl and as report, and sends again', async (t) => {
    const { page, fetch, url } = await open(t);
    await fetch('/fhir/Patient?name=zqmark', { headers: { accept: 'application/fhir+json' } });
    await page.click('#list .open-row');
    await page.click('#details button:has-text("Copy as curl")');
    await page.waitForSelector('#notice:has-text("as curl")');
    assert.ok(
      (await clipboard(page)).startsWith(
        `curl -i '${url}/fhir/Patient?name=REDACTED' -H 'accept: `,
      ),
    );
    await page.click('#details button:has-text("Copy report")');
    await page.waitForSelector('#notice:has-text("the report")');
    const report = JSON.parse(await clipboard(page));
    assert.equal(report.response.status, 200);
    assert.doesNotMatch(JSON.stringify(report), /zqmark/);
    await page.click('#details button:has-text("Send again")');
    await page.waitForSelector('#notice:has-text("Sent again: 200")');
    await rows(page).nth(1).waitFor();
  });

  test('works with the keyboard alone', async (t) => {
    const { page, fetch } = await open(t);
    await fetch('/fhir/Patient');
    await fetch('/fhir/Patient/1');
    await rows(page).nth(1).waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#details h2:has-text("read Patient")');
    await page.keyboard.press('ArrowDown');
    await page.waitForSelector('#details h2:has-text("search Patient")');
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('#details').isVisible(), false);
    await page.keyboard.press('/');
    await page.keyboard.type('read');
    assert.deepEqual(await labels(page), ['read Patient']);
    await page.keyboard.press('Escape');
    assert.equal(await rows(page).count(), 2);
    await page.locator('#filter').blur();
    await page.keyboard.press('?');
    assert.equal(await page.locator('#keys').isVisible(), true);
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('#keys').isVisible(), false);
  });

  test('shows the token, renews it, and says why when that fails', async (t) => {
    const { page, fetch, authorization } = await open(t, {
      scopes: ['system/Patient.read', 'system/Group.read'],
      authorization: { registeredScopes: ['system/Patient.read'] },
    });
    await fetch('/fhir/Patient');
    const card = page.locator('#tokens section');
    await card.locator('.badge.good:has-text("live")').waitFor();
    assert.equal(await card.locator('li.missing').textContent(), 'system/Group.read – not granted');
    await card.locator('.left:has-text("expires in")').waitFor();
    await card.locator('button:has-text("Renew")').click();
    await page.waitForSelector('#notice:has-text("renewed")');
    assert.equal(authorization.issued.length, 2);
    await card.locator('text=2 token requests').waitFor();

    authorization.scriptToken({ status: 401, body: { error: 'invalid_client' } });
    await card.locator('button:has-text("Renew")').click();
    await page.waitForSelector('#notice:has-text("invalid_client")');
    await card.locator('.explained').first().waitFor();
  });

  test('shows the smallest list of scopes that would do', async (t) => {
    const { page, fetch } = await open(t, { scopes: ['system/Patient.read', 'system/Group.read'] });
    await fetch('/fhir/Patient');
    const card = page.locator('#scopes section');
    await card.locator('pre').waitFor();
    assert.deepEqual(JSON.parse(`{${await card.locator('pre').textContent()}}`), {
      scopes: ['system/Patient.read'],
    });
    assert.equal(await card.locator('li.unused').textContent(), 'system/Group.read');
    await page.waitForSelector('#traffic .legend:has-text("1 requests")');
  });

  test('exports an HTTP Archive', async (t) => {
    const { page, fetch } = await open(t);
    await fetch('/fhir/Patient?name=zqmark');
    await rows(page).first().waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#export')]);
    assert.equal(download.suggestedFilename(), 'fhir-auth-proxy.har');
    const text = await readFile(await download.path(), 'utf8');
    await assertHar(JSON.parse(text));
    assert.doesNotMatch(text, /zqmark/);
  });

  test('shows values only when told to, with a banner and folded Bundle entries', async (t) => {
    const { page, fetch } = await open(t, { config: { log: { showValues: true } } });
    await fetch('/fhir/Patient?name=zqmark-name');
    await page.waitForSelector('#banner:has-text("Values are shown")');
    await page.click('#list .open-row');
    await page.waitForSelector('#details .json');
    const body = page.locator('#details .json');
    assert.match(String(await body.textContent()), /Bundle, 10 entries/);
    assert.doesNotMatch(String(await body.textContent()), /zqmark/);
    await body.locator('summary:has-text("Patient")').first().click();
    await body.locator('text=zqmark-0').waitFor();
    assert.match(String(await page.locator('.request-line').textContent()), /name=zqmark-name/);
    assert.deepEqual(await findSeriousViolations(page), []);
  });

  test('comes back by itself after the proxy was away, with the key of the new start', async (t) => {
    // The browser reports what it could not connect to, and what the new proxy refused to the old key.
    const { page, proxy, port } = await open(t, { refusals: /status of 403|ERR_CONNECTION/ });
    await proxy.destroy();
    await page.waitForSelector('#connection.lost');
    await startProxy(t, { config: { listen: { port } } });
    await page.waitForSelector('#connection.live');
  });

  test('has no serious accessibility violation', async (t) => {
    const { page, fetch } = await open(t);
    assert.deepEqual(await findSeriousViolations(page), [], 'empty');
    await fetch('/fhir/Practitioner');
    await page.click('#list tr.has-hint .open-row');
    await page.waitForSelector('#details .waterfall');
    assert.deepEqual(await findSeriousViolations(page), [], 'details');
    await page.setViewportSize({ width: 800, height: 800 });
    await page.click('#details button:has-text("Close")');
    await page.waitForSelector('#scopes pre');
    assert.deepEqual(await findSeriousViolations(page), [], 'narrow');
    await page.click('#open-keys');
    assert.deepEqual(await findSeriousViolations(page), [], 'keys');
  });

  test('has no serious accessibility violation in the dark', async (t) => {
    const { page, fetch } = await open(t, { dark: true });
    await fetch('/fhir/Patient');
    await fetch('/fhir/Practitioner');
    await page.waitForSelector('#list .hint .badge');
    assert.deepEqual(await findSeriousViolations(page), [], 'list');
    await page.click('#list tr.has-hint .open-row');
    await page.waitForSelector('#details .waterfall');
    assert.deepEqual(await findSeriousViolations(page), [], 'details');
  });

  test('nothing is cut off at 1280, 1024, 800 and 400 px', async (t) => {
    const { page, fetch } = await open(t);
    await fetch('/fhir/Patient');
    await rows(page).first().waitFor();
    for (const width of [1280, 1024, 800, 400]) {
      await page.setViewportSize({ width, height: 800 });
      const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
      assert.ok(wide <= width, `${wide} px wide in a window of ${width} px`);
    }
  });
});
