/** A hint as people read it on a terminal. */
import type { Hint } from '../base/contracts.ts';
import { oneLine, wrap } from '../observe/pretty.ts';
import type { Output } from './output.ts';
import { styled, type TerminalText } from './terminal-text.ts';

const NAME_WIDTH = 10;

/**
 * Title, then cause, fix and evidence below it, wrapped to the width of the terminal.
 *
 * @param count how often it was seen; said when more than once
 */
export function formatHint(
  hint: Hint,
  { columns }: Pick<Output, 'columns'>,
  count = 1,
): TerminalText {
  const width = Math.max(40, Math.min(columns, 110) - NAME_WIDTH - 2);
  const notes = [
    hint.certainty === 'likely' ? 'likely' : '',
    count > 1 ? `seen ${count} times` : '',
  ].filter((note) => note !== '');
  const after = notes.length === 0 ? '' : ` (${notes.join(', ')})`;
  const text: TerminalText[] = [
    [
      styled('bold', oneLine(hint.title)),
      styled('dim', after),
      '  ',
      styled('cyan', hint.id),
      '\n',
    ],
  ];
  for (const name of ['cause', 'fix', 'evidence'] as const) {
    wrap(oneLine(hint[name]), width).forEach((part, index) => {
      const label = (index === 0 ? name : '').padEnd(NAME_WIDTH);
      text.push(['  ', styled('dim', label), part, '\n']);
    });
  }
  return [...text, '\n'];
}
