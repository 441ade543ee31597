/** What was noticed about a key, for people. */
import type { KeyFinding } from '../../auth/key-finding.ts';
import { createPalette, oneLine } from '../../observe/pretty.ts';
import type { Output } from '../runtime.ts';

const MARKS = { error: '✗', warning: '!', note: '✓' } as const;

/** One line a finding, its remedy below it. */
export function formatKeyReport(
  file: string,
  findings: readonly KeyFinding[],
  { isTTY }: Output,
): string {
  const palette = createPalette(isTTY);
  const paint = { error: palette.red, warning: palette.yellow, note: palette.green };
  return findings
    .map(({ severity, message, fix }) => {
      const line = `${paint[severity](MARKS[severity])} ${oneLine(file)} ${oneLine(message)}\n`;
      return fix === undefined ? line : `${line}    ${palette.dim(fix)}\n`;
    })
    .join('');
}
