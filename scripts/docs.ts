/** `npm run docs`: writes every page and file that follows from the sources. A test fails when one is stale. */
import { writeFileSync } from 'node:fs';

import { buildCommandsPage } from './docs/commands-page.ts';
import { buildConfigurationPage, buildJsonSchema } from './docs/configuration-pages.ts';
import { buildHintsPage } from './docs/hints-page.ts';

const pages = {
  'docs/commands.md': await buildCommandsPage(),
  'docs/configuration.md': buildConfigurationPage(),
  'docs/hints.md': buildHintsPage(),
  'proxy.config.schema.json': buildJsonSchema(),
};

for (const [path, text] of Object.entries(pages)) {
  writeFileSync(new URL(`../${path}`, import.meta.url), text);
}
