/** `npm run commands`: writes docs/commands.md. */
import { writeFileSync } from 'node:fs';

import { buildCommandsPage } from './commands-page.ts';

writeFileSync(new URL('../docs/commands.md', import.meta.url), await buildCommandsPage());
