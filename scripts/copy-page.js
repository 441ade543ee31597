/** Copies the files of the inspector page, which the compiler leaves alone, beside what it has built. */
import { cpSync } from 'node:fs';

const from = new URL('../src/observe/inspector/page/', import.meta.url);
const to = new URL('../dist/observe/inspector/page/', import.meta.url);

cpSync(from, to, { recursive: true, filter: (file) => !file.endsWith('.json') });
