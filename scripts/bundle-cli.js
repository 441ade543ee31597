/**
 * Joins the program and the packages that it runs on into few files: Node spends most of the start of a
 * small program on finding and reading hundreds of them. Commands stay files of their own, read when they
 * are called. The library face, its types and its dependencies stay as the compiler made them.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const root = fileURLToPath(new URL('../', import.meta.url));
const dist = join(root, 'dist');

// What the compiler made of the program itself; nothing of the library reads it.
rmSync(join(dist, 'commands'), { recursive: true });
for (const name of ['cli.js', 'cli.d.ts']) rmSync(join(dist, name));

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/cli.ts'],
  // Flat, so that "../package.json" and "./page/" are where the sources say.
  outdir: dist,
  chunkNames: 'cli-[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  mainFields: ['module', 'main'],
  // It finds its passes by the names of their functions. Keeping all names ("keepNames") would cost every
  // request: a property is defined on each closure that is made.
  external: ['http-proxy'],
  // Packages in CommonJS ask for Node's own modules by this.
  banner: {
    js: "import { createRequire as createRequireOfBundle } from 'node:module';\nconst require = createRequireOfBundle(import.meta.url);",
  },
  // Names stay, so that a stack can be read.
  minifyWhitespace: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});

writeFileSync(join(dist, 'cli-licenses.txt'), buildLicences(metafile.inputs));

/** The licence of every package that has a file in the bundle. */
function buildLicences(inputs) {
  const packages = new Set(
    Object.keys(inputs)
      .map((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1])
      .filter((folder) => folder !== undefined),
  );
  return [...packages]
    .toSorted()
    .map((folder) => {
      const { name, version, license } = JSON.parse(
        readFileSync(join(root, folder, 'package.json'), 'utf8'),
      );
      const file = readdirSync(join(root, folder)).find((each) => /^licen[cs]e/i.test(each));
      const text = file === undefined ? '' : readFileSync(join(root, folder, file), 'utf8').trim();
      return `${name} ${version} (${license})\n\n${text}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}
