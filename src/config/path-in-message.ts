/** Longest path that a message repeats: a longer one is mostly what a file should hold. */
const LONGEST_SHOWN = 255;

/**
 * The path of a file for messages, in double quotes. Where a key was pasted in place of its path (a
 * PEM or a JWK, whole or in part), only its length is shown.
 */
export function pathInMessage(path: string): string {
  const isPath = path.length <= LONGEST_SHOWN && !/["{}\p{Cc}]|-----/u.test(path);
  return isPath ? `"${path}"` : `"…" (a text of ${path.length} characters, which is no path)`;
}
