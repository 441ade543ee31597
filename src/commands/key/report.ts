/** What was noticed about a key, for people. */
import type { KeyFinding } from '../../auth/key-finding.ts';
import { oneLine } from '../../observe/pretty.ts';
import { styled, type TerminalText } from '../terminal-text.ts';

const MARKS = { error: '✗', warning: '!', note: '✓' } as const;
const STYLES = { error: 'red', warning: 'yellow', note: 'green' } as const;

/** One line a finding, its remedy below it. */
export function formatKeyReport(file: string, findings: readonly KeyFinding[]): TerminalText {
  return findings.map(({ severity, message, fix }) => [
    styled(STYLES[severity], MARKS[severity]),
    ` ${oneLine(file)} ${oneLine(message)}\n`,
    ...(fix === undefined ? [] : ['    ', styled('dim', fix), '\n']),
  ]);
}
