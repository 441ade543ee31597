/**
 * Text for a terminal. A string is always shown as what it says: control characters in it, from
 * servers, files or the command line, never reach the terminal. Styles are values beside the text and
 * become escape sequences in the writer alone.
 */
import { toPlainText } from '../base/plain-text.ts';

/** How text may look. */
export type Style = 'dim' | 'bold' | 'red' | 'green' | 'yellow' | 'cyan';

/** A piece of text with a style. */
export interface StyledText {
  readonly style: Style;
  readonly text: string;
}

/** What can be written: text, styled text, or pieces of both in a row. */
export type TerminalText = string | StyledText | readonly TerminalText[];

/** SGR parameters (ECMA-48) that begin and end a style. */
const SGR: Readonly<Record<Style, readonly [begin: number, end: number]>> = {
  dim: [2, 22],
  bold: [1, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

/** Gives text a style. */
export function styled(style: Style, text: string): StyledText {
  return { style, text };
}

/** The characters to send to a terminal; line feeds are the only control characters of strings that stay. */
export function renderText(text: TerminalText, isColored: boolean): string {
  if (typeof text === 'string') return toPlainText(text);
  if (isPieces(text)) return text.map((piece) => renderText(piece, isColored)).join('');
  const plain = toPlainText(text.text);
  if (!isColored) return plain;
  const [begin, end] = SGR[text.style];
  return `\u001B[${begin}m${plain}\u001B[${end}m`;
}

function isPieces(text: StyledText | readonly TerminalText[]): text is readonly TerminalText[] {
  return Array.isArray(text);
}
