import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';

import { buildCommandsPage } from '../../scripts/docs/commands-page.ts';
import { commands } from '../../src/commands/list.ts';

const page = readFileSync(new URL('../../docs/commands.md', import.meta.url), 'utf8');

it('docs/commands.md tells what the commands are now', async () => {
  assert.equal(page, await buildCommandsPage(), 'it is stale: npm run docs');
});

it('docs/commands.md describes every flag of every command', () => {
  for (const { name } of commands) assert.ok(page.includes(`\n## ${name.split(' ')[0]}\n`), name);
  const rows = page.split('\n').filter((line) => line.startsWith('| `-'));
  assert.ok(rows.length > commands.length);
  for (const row of rows) assert.match(row, / \| [^|]*[a-z][^|]*.* \|$/, row);
});
