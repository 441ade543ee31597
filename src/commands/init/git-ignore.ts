/** Keeps what `init` makes out of git. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Keeps a folder out of git: adds it to `.gitignore` when the config lies in a git tree.
 *
 * @param name of the folder beside the config, with a slash at the end
 * @returns whether a line was added
 */
export async function ignoreInGit(folder: string, name: string): Promise<boolean> {
  if (!(await isInGitTree(folder))) return false;
  const file = join(folder, '.gitignore');
  let text = '';
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const bare = name.replace(/\/$/, '');
  const known = new Set([name, bare, `/${name}`, `/${bare}`]);
  if (text.split(/\r?\n/).some((line) => known.has(line.trim()))) return false;
  const gap = text === '' || text.endsWith('\n') ? '' : '\n';
  await writeFile(file, `${text}${gap}${name}\n`);
  return true;
}

async function isInGitTree(folder: string): Promise<boolean> {
  try {
    // A file in a worktree or a submodule.
    await stat(join(folder, '.git'));
    return true;
  } catch {
    const parent = dirname(folder);
    return parent === folder ? false : isInGitTree(parent);
  }
}
