import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

import { chromium, type Browser, type Page } from 'playwright-core';

/** Where Debian and others install Chromium. */
const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
];

/** Path of an installed Chromium, or undefined. */
export const chromiumPath = PLACES.find((path) => existsSync(path));

/** Starts Chromium, quiet and alone: nothing asked of the network but what a page asks for. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    headless: true,
    ...(chromiumPath === undefined ? {} : { executablePath: chromiumPath }),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** A violation that axe-core found. */
export interface AxeViolation {
  id: string;
  impact: string;
  help: string;
  nodes: { html: string; failureSummary: string }[];
}

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/**
 * Runs axe-core on a page and returns what is serious or critical. The script is run by the
 * debugger, so that the page's content security policy stays as it is.
 */
export async function findSeriousViolations(page: Page): Promise<AxeViolation[]> {
  await page.evaluate(await readFile(axePath, 'utf8'));
  const violations = await page.evaluate<AxeViolation[]>(
    `axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations)`,
  );
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
}
