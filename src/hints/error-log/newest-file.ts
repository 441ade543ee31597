/** Finds the file that a log is being written to: the newest that a path or glob names. */
import { readdir, stat } from 'node:fs/promises';
import { join, parse, sep } from 'node:path';

/** A candidate. `identity` tells files apart through renaming. */
export interface LogFile {
  path: string;
  /** Device and inode. */
  identity: string;
  size: number;
  mtimeMs: number;
}

/** Most files looked at; a wider glob is a mistake. */
const MAX_FILES = 1000;

/**
 * Every file that the pattern names, the newest first. `*` and `?` stand for characters within one
 * segment. A plain path also names its rotated siblings `.1` to `.4`, because OpenEMR's images write
 * to `error.log`, `error.log.1` … `error.log.4` in turn.
 *
 * @param pattern absolute path or glob
 */
export async function listLogFiles(pattern: string): Promise<LogFile[]> {
  const paths = isGlob(pattern)
    ? await expandGlob(pattern)
    : [pattern, ...[1, 2, 3, 4].map((n) => `${pattern}.${n}`)];
  const files: LogFile[] = [];
  for (const path of paths.slice(0, MAX_FILES)) {
    try {
      // On Windows the number of a file does not fit into a double.
      const file = await stat(path, { bigint: true });
      if (!file.isFile()) continue;
      const { dev, ino, size, mtimeNs } = file;
      files.push({
        path,
        identity: `${dev}:${ino}`,
        size: Number(size),
        mtimeMs: Number(mtimeNs) / 1e6,
      });
    } catch {
      // Gone between listing and looking, or not readable: the next poll looks again.
    }
  }
  return files.sort((a, b) => b.mtimeMs - a.mtimeMs || (a.path < b.path ? -1 : 1));
}

/** Whether a configured log is a glob. */
export function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern);
}

async function expandGlob(pattern: string): Promise<string[]> {
  const { root } = parse(pattern);
  // A backslash is a separator on Windows alone; there a slash is one, too.
  const segments = pattern.slice(root.length).split(sep === '\\' ? /[\\/]/ : '/');
  let paths = [root];
  for (const segment of segments.filter((part) => part !== '')) {
    if (!isGlob(segment)) {
      paths = paths.map((path) => join(path, segment));
      continue;
    }
    const matches = globSegment(segment);
    const found = await Promise.all(
      paths.map(async (path) => {
        const names = await readdir(path).catch(() => []);
        return names.filter((name) => matches.test(name)).map((name) => join(path, name));
      }),
    );
    paths = found.flat().slice(0, MAX_FILES);
  }
  return paths;
}

function globSegment(segment: string): RegExp {
  const source = segment
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${segment.startsWith('.') ? '' : String.raw`(?!\.)`}${source}$`, 's');
}
