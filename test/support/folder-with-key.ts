/** Folders in which commands work. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { rs384Key } from './keys.ts';

/** An empty folder for the time of a test. */
export function createFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'folder-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A folder with a key where `init` looks for one: making one takes long. */
export function createFolderWithKey(t: TestContext): string {
  const folder = createFolder(t);
  mkdirSync(join(folder, 'keys'), { mode: 0o700 });
  writeFileSync(join(folder, 'keys/private.jwk.json'), rs384Key().text, { mode: 0o600 });
  return folder;
}
