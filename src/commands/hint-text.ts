/** A hint as people read it on a terminal. */
import type { Hint } from '../base/contracts.ts';
import { createPalette, oneLine, wrap } from '../observe/pretty.ts';
import type { Output } from './runtime.ts';

const NAME_WIDTH = 10;

/**
 * Title, then cause, fix and evidence below it, wrapped to the width of the terminal.
 *
 * @param count how often it was seen; said when more than once
 */
export function formatHint(hint: Hint, { isTTY, columns }: Output, count = 1): string {
  const palette = createPalette(isTTY);
  const width = Math.max(40, Math.min(columns, 110) - NAME_WIDTH - 2);
  const notes = [
    hint.certainty === 'likely' ? 'likely' : '',
    count > 1 ? `seen ${count} times` : '',
  ].filter((note) => note !== '');
  const after = notes.length === 0 ? '' : ` (${notes.join(', ')})`;
  const lines = [
    `${palette.bold(oneLine(hint.title))}${palette.dim(after)}  ${palette.cyan(hint.id)}`,
  ];
  for (const name of ['cause', 'fix', 'evidence'] as const) {
    wrap(oneLine(hint[name]), width).forEach((part, index) => {
      lines.push(`  ${palette.dim((index === 0 ? name : '').padEnd(NAME_WIDTH))}${part}`);
    });
  }
  return `${lines.join('\n')}\n\n`;
}
