/** Results of checks as people read them: a line each, the fix below it. */
import type { Environment } from '../config/environment.ts';
import type { CheckResult, CheckStatus } from '../doctor/result.ts';
import { oneLine, wrap } from '../observe/pretty.ts';
import type { Output } from './output.ts';
import { type Style, styled, type TerminalText } from './terminal-text.ts';

/** Prints results as they come. */
export interface CheckPrinter {
  /** A check begins; shown on a terminal until its result is there. */
  start(check: string, route?: string): void;
  result(result: CheckResult): void;
  /** Prints what was skipped, and how many of each there were. */
  end(): void;
}

const NAME_WIDTH = 15;
const INDENT = 4 + NAME_WIDTH;
const MARKS: Readonly<Record<CheckStatus, readonly [mark: string, word: string]>> = {
  ok: ['✓', 'ok  '],
  warn: ['!', 'warn'],
  fail: ['✗', 'fail'],
  skip: ['–', 'skip'],
};
const STYLES: Readonly<Record<CheckStatus, Style>> = {
  ok: 'green',
  warn: 'yellow',
  fail: 'red',
  skip: 'dim',
};

/** Creates a printer; words take the place of marks where the locale is said not to be UTF-8. */
export function createCheckPrinter(output: Output, environment: Environment): CheckPrinter {
  const look = { isUtf8: canShowMarks(environment), columns: output.columns };
  const counts: Record<CheckStatus, number> = { ok: 0, warn: 0, fail: 0, skip: 0 };
  let heading: string | undefined;
  let skipped: CheckResult[] = [];

  const endRoute = (): void => {
    if (skipped.length > 0) output.write(formatSkipped(skipped, look));
    skipped = [];
  };
  const head = (route: string | undefined): void => {
    if (route === heading || route === undefined) return;
    endRoute();
    heading = route;
    output.write(['\n', styled('bold', route), '\n']);
  };

  return {
    start(check, route) {
      if (!output.isTTY) return;
      output.eraseLine();
      head(route);
      output.write(styled('dim', `  … ${check}`));
    },
    result(result) {
      output.eraseLine();
      head(result.route);
      counts[result.status] += 1;
      if (result.status === 'skip') skipped.push(result);
      else output.write(formatResult(result, look));
    },
    end() {
      output.eraseLine();
      endRoute();
      output.write(`\n${formatCounts(counts)}\n`);
    },
  };
}

/** `LC_ALL`, `LC_CTYPE` and `LANG`, in this order, name the character encoding (POSIX); unset means unknown, and then modern. */
function canShowMarks({ LC_ALL, LC_CTYPE, LANG }: Environment): boolean {
  const locale = [LC_ALL, LC_CTYPE, LANG].find((value) => value !== undefined && value !== '');
  return locale === undefined || /utf-?8/i.test(locale);
}

interface Look {
  isUtf8: boolean;
  columns: number;
}

function formatResult(
  { check, status, message, fix, hint }: CheckResult,
  { isUtf8, columns }: Look,
): TerminalText {
  const mark = styled(STYLES[status], MARKS[status][isUtf8 ? 0 : 1]);
  const indent = isUtf8 ? INDENT : INDENT + 3;
  const width = Math.max(40, Math.min(columns, 120) - indent);
  const below = (name: string, text: string): TerminalText[] =>
    wrap(oneLine(text), width - 5).map((part, index) => [
      ' '.repeat(indent),
      styled('dim', (index === 0 ? name : '').padEnd(5)),
      `${part}\n`,
    ]);
  const [first = '', ...rest] = wrap(oneLine(message), width);
  return [
    ['  ', mark, ` ${check.padEnd(NAME_WIDTH)}${first}\n`],
    ...rest.map((part) => `${' '.repeat(indent)}${part}\n`),
    ...(hint === undefined ? [] : below('hint', `${hint.title} (${hint.certainty}, ${hint.id})`)),
    ...(fix === undefined ? [] : below('fix', fix)),
  ];
}

function formatSkipped(skipped: readonly CheckResult[], { isUtf8, columns }: Look): TerminalText {
  const byReason = new Map<string, string[]>();
  for (const { check, message } of skipped) {
    byReason.set(message, [...(byReason.get(message) ?? []), check]);
  }
  const mark = `  ${MARKS.skip[isUtf8 ? 0 : 1]} `;
  const width = Math.max(40, Math.min(columns, 120) - mark.length);
  return [...byReason].flatMap(([reason, names]) =>
    wrap(`not checked: ${names.join(', ')} (${oneLine(reason)})`, width).map((part, index) =>
      styled('dim', `${index === 0 ? mark : ' '.repeat(mark.length)}${part}\n`),
    ),
  );
}

function formatCounts({ ok, warn, fail, skip }: Record<CheckStatus, number>): string {
  return [
    `${ok} ok`,
    `${warn} ${warn === 1 ? 'warning' : 'warnings'}`,
    `${fail} failed`,
    ...(skip === 0 ? [] : [`${skip} not checked`]),
  ].join(', ');
}
