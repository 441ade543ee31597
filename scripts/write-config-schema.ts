/** `npm run schema`: writes the files that follow from the configuration schema. */
import { writeFileSync } from 'node:fs';

import { buildConfigurationPage, buildJsonSchema } from './config-pages.ts';

writeFileSync(new URL('../proxy.config.schema.json', import.meta.url), buildJsonSchema());
writeFileSync(new URL('../docs/configuration.md', import.meta.url), buildConfigurationPage());
