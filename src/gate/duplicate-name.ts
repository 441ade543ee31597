/** Duplicate member names in JSON: readers differ in which one counts (RFC 8259 section 4). */

/**
 * Whether any object of the text has two members of one name, however they are escaped.
 *
 * @param text valid JSON, as `JSON.parse` has found
 */
export function hasDuplicateName(text: string): boolean {
  /** Names of each open object; undefined for an open array. */
  const open: (Set<string> | undefined)[] = [];
  let expectsName = false;
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case '{':
        open.push(new Set());
        expectsName = true;
        break;
      case '[':
        open.push(undefined);
        expectsName = false;
        break;
      case '}':
      case ']':
        open.pop();
        expectsName = false;
        break;
      case ',':
        expectsName = open.at(-1) !== undefined;
        break;
      case '"': {
        const end = stringEnd(text, i);
        if (expectsName) {
          const names = open.at(-1) as Set<string>;
          const name = readName(text.slice(i, end));
          if (names.has(name)) return true;
          names.add(name);
          expectsName = false;
        }
        i = end - 1;
        break;
      }
      default:
    }
  }
  return false;
}

function readName(quoted: string): string {
  return quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
}

/** Index behind the closing quotation mark of the string that begins at `start`. */
function stringEnd(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i + 1;
}
