/** Removes what was built before, so that no file of a deleted source is packed. */
import { rmSync } from 'node:fs';

rmSync(new URL('../dist/', import.meta.url), { recursive: true, force: true });
