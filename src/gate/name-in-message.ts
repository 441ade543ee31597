/** Names from requests inside messages: cut, and free of anything that could disturb a log or a terminal. */

const MAX_LENGTH = 80;

/** The text in double quotes, printable ASCII only, at most 80 characters. */
export function quoted(text: string): string {
  const cut = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  return `"${cut.replaceAll(/[^\x20-\x7e…]/g, '?').replaceAll('"', "'")}"`;
}
