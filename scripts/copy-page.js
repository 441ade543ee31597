/** Copies the files of the inspector page, which the compiler leaves alone, beside what reads them: the library and the bundled program. */
import { cpSync } from 'node:fs';

const from = new URL('../src/observe/inspector/page/', import.meta.url);

for (const folder of ['observe/inspector/page/', 'page/']) {
  const to = new URL(`../dist/${folder}`, import.meta.url);
  cpSync(from, to, { recursive: true, filter: (file) => !file.endsWith('.json') });
}
