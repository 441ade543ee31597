import { access } from 'node:fs/promises';

/** Whether there is something at a path, also when it may not be read. */
export async function isThere(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}
