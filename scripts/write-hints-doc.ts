/** `npm run hints`: writes docs/hints.md. */
import { writeFileSync } from 'node:fs';

import { buildHintsPage } from './hints-page.ts';

writeFileSync(new URL('../docs/hints.md', import.meta.url), buildHintsPage());
