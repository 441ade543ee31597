/**
 * The layer rules of the linter, proven by planted breaches: each is written into a temporary tree with
 * a copy of `.oxlintrc.json` at its root, since the overrides of a configuration resolve against its folder.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const OXLINT = join(ROOT, 'node_modules', 'oxlint', 'bin', 'oxlint');
const CONFIG = join(ROOT, '.oxlintrc.json');
const VALUE = 'export const value = 1;\n';

/** Targets of the planted imports. */
const TREE: Readonly<Record<string, string>> = {
  'src/fhir/target.ts': VALUE,
  'src/base/target.ts': VALUE,
  'src/gate/target.ts': VALUE,
  'src/auth/target.ts': 'export interface Shape {\n  value: number;\n}\nexport const value = 1;\n',
  'src/routes/target.ts': VALUE,
  'src/server.ts': VALUE,
  'src/gate/deep/deeper/clean.ts':
    "import { value as base } from '../../../base/target.ts';\nexport const clean = base;\n",
};

/** Breaches by what they are: the planted files, the first of which is reported, and the rule. */
const BREACHES: readonly { kind: string; files: Record<string, string>; rule: string }[] = [
  {
    kind: 'a file three folders deep imports from a layer above',
    files: {
      'src/base/one/two/three/up.ts':
        "import { value } from '../../../../routes/target.ts';\nexport const used = value;\n",
    },
    rule: 'no-restricted-imports',
  },
  {
    kind: 'a base file imports a room',
    files: {
      'src/base/room.ts':
        "import { value } from '../gate/target.ts';\nexport const used = value;\n",
    },
    rule: 'no-restricted-imports',
  },
  {
    kind: 'a room imports the composition root',
    files: {
      'src/gate/root.ts': "import { value } from '../server.ts';\nexport const used = value;\n",
    },
    rule: 'no-restricted-imports',
  },
  {
    kind: 'a room imports another room',
    files: {
      'src/gate/sideways.ts':
        "import { value } from '../auth/target.ts';\nexport const used = value;\n",
    },
    rule: 'no-restricted-imports',
  },
  {
    kind: 'an import from above takes a type only',
    files: {
      'src/config/type.ts':
        "import type { Shape } from '../auth/target.ts';\nexport type Used = Shape;\n",
    },
    rule: 'no-restricted-imports',
  },
  {
    kind: 'two files import values of each other',
    files: {
      'src/gate/left.ts':
        "import { right } from './right.ts';\nexport const left = (): number => right();\n",
      'src/gate/right.ts':
        "import { left } from './left.ts';\nexport const right = (): number => left();\n",
    },
    rule: 'no-cycle',
  },
  {
    kind: 'two files of the sandbox import types of each other',
    files: {
      'src/sandbox/a/ping.ts':
        "import type { Pong } from './pong.ts';\nexport interface Ping {\n  pong: Pong | undefined;\n}\n",
      'src/sandbox/a/pong.ts':
        "import type { Ping } from './ping.ts';\nexport interface Pong {\n  ping: Ping | undefined;\n}\n",
    },
    rule: 'no-cycle',
  },
];

let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'layers-'));
  const config = JSON.parse(await readFile(CONFIG, 'utf8')) as { options: object };
  // No rule about layers needs types, and reading them would take most of the time.
  config.options = { ...config.options, typeAware: false };
  await writeFile(join(folder, '.oxlintrc.json'), JSON.stringify(config));
  await plant(TREE);
});
after(() => rm(folder, { recursive: true, force: true }));

async function plant(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

interface Report {
  diagnostics: { code: string; severity: string; filename: string }[];
}

/** What the linter reports of the planted tree. */
async function lint(): Promise<Report['diagnostics']> {
  // A linter that finds something ends with 1; what it found is on its standard output all the same.
  const output = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [OXLINT, '--format=json', 'src'], { cwd: folder }, (error, stdout) =>
      stdout === '' && error !== null ? reject(error) : resolve(stdout),
    );
  });
  return (JSON.parse(output) as Report).diagnostics;
}

test('the linter reports each kind of breach of the layers as an error, and nothing in a clean tree', async (t) => {
  await t.test('a tree without a breach passes', async () => {
    assert.deepEqual(await lint(), []);
  });
  for (const { files } of BREACHES) await plant(files);
  const found = await lint();
  for (const { kind, files, rule } of BREACHES) {
    await t.test(kind, () => {
      const [path = ''] = Object.keys(files);
      const own = found.filter(({ filename }) => filename.replaceAll('\\', '/').endsWith(path));
      assert.ok(
        own.some(({ code, severity }) => code.includes(rule) && severity === 'error'),
        `expected an error of ${rule} in ${path}, got ${JSON.stringify(own)}`,
      );
    });
  }
});

test('every folder of src/ belongs to a layer', async () => {
  const { overrides } = JSON.parse(await readFile(CONFIG, 'utf8')) as {
    overrides: { files: string[]; rules: Record<string, unknown> }[];
  };
  const layers = overrides.flatMap(({ files, rules }) =>
    'no-restricted-imports' in rules ? files : [],
  );
  const entries = await readdir(join(ROOT, 'src'), { withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    assert.ok(layers.includes(`src/${entry.name}/**`), `no layer covers src/${entry.name}`);
  }
});
