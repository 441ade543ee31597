/** Standard output and standard error: the only writers of everything that a terminal shows. */
import { toPlainJson } from '../base/plain-text.ts';
import { renderText, type TerminalText } from './terminal-text.ts';

/** A stream that text is written to. */
export interface Output {
  /** Writes text; control characters in strings, except line feeds, become spaces. */
  write(text: TerminalText): void;
  /**
   * Writes a value as JSON and a line feed; control characters are escaped.
   *
   * @param indent spaces a level; default 0, all on one line
   */
  writeJson(value: unknown, indent?: number): void;
  /** Empties the line that the cursor is on; does nothing without a terminal. */
  eraseLine(): void;
  /** Whether a person is looking: progress is welcome. */
  readonly isTTY: boolean;
  /** Whether styles are shown: on a terminal, unless NO_COLOR is set to anything but an empty text. */
  readonly isColored: boolean;
  /** Width of the terminal in columns; 80 when there is none. */
  readonly columns: number;
  /**
   * The stream underneath, which shows everything as it is. Only for the log, which cleans its lines
   * itself, and for prompts; the linter refuses it elsewhere.
   */
  readonly rawStream: NodeJS.WritableStream;
}

/** Where an {@link Output} leads. */
export interface OutputOptions {
  stream: NodeJS.WritableStream;
  isTTY: boolean;
  columns: number;
  /** Value of NO_COLOR (no-color.org). */
  noColor: string | undefined;
}

/** Creates the writer of a stream. */
export function createOutput({ stream, isTTY, columns, noColor = '' }: OutputOptions): Output {
  const isColored = isTTY && noColor === '';
  return {
    write: (text) => void stream.write(renderText(text, isColored)),
    writeJson(value, indent = 0) {
      stream.write(`${toPlainJson(JSON.stringify(value, null, indent))}\n`);
    },
    eraseLine() {
      if (isTTY) stream.write('\r\u001B[K');
    },
    isTTY,
    isColored,
    columns,
    rawStream: stream,
  };
}
