import { relative } from 'node:path';

/** A path for a file in `folder`: relative and with forward slashes where it lies below it. */
export function pathFrom(folder: string, file: string): string {
  const path = relative(folder, file);
  return path.startsWith('..') || path === '' ? file : path.replaceAll('\\', '/');
}

/** A file as people see it from the working directory. */
export function shownPath(cwd: string, file: string): string {
  return relative(cwd, file) || file;
}
