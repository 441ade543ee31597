/**
 * Makes the pictures of the inspector in docs/images/: starts the sandbox and the proxy, drives
 * traffic with a few faults through them, and photographs the page with an installed Chromium.
 *
 *     npx tsx scripts/screenshots.ts            the pictures of the README
 *     npx tsx scripts/screenshots.ts FOLDER     every state of the page, to look at after a change
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type { Page } from 'playwright-core';

import { configSchema } from '../src/config/schema.ts';
import { createLogger } from '../src/observe/logger.ts';
import { startSandbox } from '../src/sandbox/index.ts';
import { createProxyServer } from '../src/server.ts';
import { launchBrowser } from '../test/support/browser.ts';

const [, , elsewhere] = process.argv;
const folder = elsewhere ?? fileURLToPath(new URL('../docs/images', import.meta.url));
mkdirSync(folder, { recursive: true });

/** Both clocks begin a quarter of an hour ago, so that the plot has something to show. */
let behindMs = 14 * 60_000;
const clock = { now: () => Date.now() - behindMs };

const sandbox = await startSandbox({ faults: { 'slow-answer': 12 }, clock });
const config = (showValues: boolean) =>
  configSchema.parse({
    listen: { port: showValues ? 0 : 8088 },
    log: { showValues },
    routes: [
      {
        path: '/fhir',
        upstream: sandbox.fhirBase,
        client: {
          id: sandbox.client.id,
          key: JSON.stringify(sandbox.client.key),
          scopes: [...sandbox.client.scopes.slice(0, 6), 'system/Coverage.read'],
        },
      },
    ],
  });
const logger = createLogger({
  format: 'json',
  level: 'silent',
  stream: new Writable({ write: (_chunk, _encoding, done) => done() }),
});
const proxy = await createProxyServer(config(false), { logger, clock });
const url = await proxy.listen();
const browser = await launchBrowser();

interface Look {
  name: string;
  width?: number;
  dark?: boolean;
  base?: string;
  before?: (page: Page) => Promise<unknown>;
}

/** Pictures that docs/images holds. */
const SHOWN = new Set(['light', 'dark', 'details', 'token', 'values']);

async function photograph({ name, width = 1280, dark = false, base = url, before }: Look) {
  if (elsewhere === undefined && !SHOWN.has(name)) return;
  const page = await browser.newPage({
    viewport: { width, height: 800 },
    colorScheme: dark ? 'dark' : 'light',
  });
  await page.goto(`${base}/_proxy/`);
  await page.waitForSelector('#connection.live');
  await before?.(page);
  await sleep(400);
  await page.screenshot({
    path: join(folder, `${elsewhere === undefined ? 'inspector-' : ''}${name}.png`),
  });
  await page.close();
}

const ask = async (path: string, init?: RequestInit, base = url) => {
  const response = await fetch(`${base}/fhir${path}`, init).catch(() => undefined);
  await response?.text().catch(() => undefined);
};

async function drive(base = url) {
  await ask('/metadata', undefined, base);
  const found = await fetch(`${base}/fhir/Patient?_count=5`);
  const bundle = (await found.json()) as { entry?: { resource: { id: string } }[] };
  const id = bundle.entry?.[0]?.resource.id ?? '1';
  const paths = [
    `/Patient/${id}`,
    `/Observation?patient=${id}&category=vital-signs`,
    `/Encounter?patient=${id}`,
    `/Condition?patient=${id}`,
    '/MedicationRequest?_count=10',
    '/Patient?name=nobody',
    `/AllergyIntolerance?patient=${id}`,
  ];
  for (const path of [...paths, ...paths, ...paths]) await ask(path, undefined, base);
  await ask('/Patient/not-there', undefined, base);
  await ask('/Practitioner', undefined, base);
  // A token younger than two seconds is not replaced.
  await sleep(2100);
  sandbox.setFaults({ 'token-revoked': 'issued' });
  await ask(`/Patient/${id}`, undefined, base);
  sandbox.setFaults({ 'database-down': true });
  await ask('/Observation?_count=1', undefined, base);
  sandbox.setFaults({ 'database-down': false, 'reset-mid-body': true });
  await ask(`/Patient/${id}`, undefined, base);
  sandbox.setFaults({ 'reset-mid-body': false, 'slow-answer': 640 });
  await ask('/Observation?_count=50', undefined, base);
  sandbox.setFaults({ 'slow-answer': 12 });
  for (const path of paths) await ask(path, { headers: { Accept: 'application/fhir+json' } }, base);
}

const openRow = (label: string) => (page: Page) =>
  page
    .click(`#list tr:has-text("${label}") .open-row`)
    .then(() => page.waitForSelector('.waterfall'));
const openFirstHint = async (page: Page) => {
  await page.click('#list tr:has(td.hint .badge) .open-row');
  await page.waitForSelector('.waterfall');
};

await photograph({ name: 'empty' });
for (let step = 0; behindMs > 0; step += 1) {
  sandbox.setFaults({ 'slow-answer': 8 + ((step * 7) % 30) });
  for (let count = 0; count < 1 + ((step * 5) % 9); count += 1) await ask('/Patient?_count=3');
  if (step % 9 === 4) await ask('/Patient/not-there');
  behindMs = Math.max(0, behindMs - 20_000);
}
sandbox.setFaults({ 'slow-answer': 12 });
await drive();
await photograph({ name: 'light' });
await photograph({ name: 'dark', dark: true });
await photograph({ name: 'details', before: openFirstHint });
await photograph({ name: 'details-dark', dark: true, before: openRow('200') });
await photograph({ name: 'narrow', width: 800 });
await photograph({ name: 'narrow-details', width: 800, before: openFirstHint });
await photograph({
  name: 'narrow-tokens',
  width: 800,
  before: (page) => page.locator('#tokens').scrollIntoViewIfNeeded(),
});

const open = await createProxyServer(config(true), { logger, clock });
const openUrl = await open.listen();
await drive(openUrl);
await photograph({
  name: 'values',
  base: openUrl,
  async before(page) {
    await openRow('search MedicationRequest')(page);
    await page.locator('#details .json summary').nth(2).scrollIntoViewIfNeeded();
    await page
      .locator('#details h3:has-text("Answer body")')
      .evaluate((title) => title.scrollIntoView());
    await page.locator('#details').evaluate((panel) => panel.scrollBy(0, -130));
  },
});

sandbox.setFaults({ 'client-disabled': true });
await fetch(`${url}/_proxy/routes/fhir/renew`, { method: 'POST' });
await ask('/Patient');
await photograph({
  name: 'token',
  before: (page) => page.waitForSelector('#tokens .explained dl'),
});

await browser.close();
await Promise.all([proxy.destroy(), open.destroy()]);
await sandbox.close();
