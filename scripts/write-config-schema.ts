/** `npm run schema`: writes the files that follow from the configuration schema. */
import { mkdirSync, writeFileSync } from 'node:fs';

import { buildConfigurationPage, buildJsonSchema } from './config-pages.ts';

mkdirSync(new URL('../docs/', import.meta.url), { recursive: true });
writeFileSync(new URL('../proxy.config.schema.json', import.meta.url), buildJsonSchema());
writeFileSync(new URL('../docs/configuration.md', import.meta.url), buildConfigurationPage());
