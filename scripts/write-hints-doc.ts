/** `npm run hints`: writes docs/hints.md. */
import { mkdirSync, writeFileSync } from 'node:fs';

import { buildHintsPage } from './hints-page.ts';

mkdirSync(new URL('../docs/', import.meta.url), { recursive: true });
writeFileSync(new URL('../docs/hints.md', import.meta.url), buildHintsPage());
