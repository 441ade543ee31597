/** Says how a catalogue entry is recognised, for the page and the documentation of a hint. */
import type { AnswerSign } from './answer.ts';
import type { CatalogueEntry } from './catalogue/entry.ts';

/** One sign: where to look, and the texts or codes of programs of which one is found there. */
export interface Recognition {
  prose: string;
  codes: readonly string[];
}

/** The signs of an entry, the surest first; those that merely agree are left out. */
export function describeRecognition(entry: CatalogueEntry): Recognition[] {
  const { log = [], answers = [], nodeCodes = [], proxyCodes = [], circumstances } = entry;
  const signs: Recognition[] = [
    { prose: 'error of the proxy', codes: proxyCodes },
    { prose: 'connection error', codes: nodeCodes },
    { prose: 'error log', codes: log.map((pattern) => readable(pattern)) },
  ].filter(({ codes }) => codes.length > 0);
  for (const sign of answers) {
    if (sign.proves !== undefined) signs.push(describeAnswerSign(sign));
  }
  if (circumstances !== undefined) {
    signs.push({ prose: 'circumstances: what was asked and granted', codes: [] });
  }
  return signs;
}

function describeAnswerSign(sign: AnswerSign): Recognition {
  const { status, body, error, hint, message, text } = sign;
  const statuses = typeof status === 'number' ? [status] : status;
  const which = [
    `answer ${statuses.join(', ')}`,
    body === 'empty' ? 'with an empty body' : body === 'html' ? 'with an HTML page' : '',
    error === undefined ? '' : `with error "${error}"`,
  ].filter((part) => part !== '');
  const pattern = hint ?? message ?? text;
  return {
    prose: which.join(' '),
    codes: pattern === undefined ? [] : [readable(pattern)],
  };
}

/** A pattern as people read it: the text that it looks for, with an ellipsis where anything may stand. */
function readable({ source }: RegExp): string {
  return (
    source
      // Escaped brackets and parentheses stand for themselves; keep them out of what follows.
      .replaceAll(/\\([()[\]{}?*+.|^$/\\])/g, (_all, character: string) => PLAIN[character] ?? '')
      .replaceAll(/\(\?[!=](?:[^()]|\([^()]*\))*\)/g, '')
      .replaceAll(/\(\?<\w+>(?:[^()]|\([^()]*\))*\)/g, '…')
      .replaceAll(/\\s[+*]?/g, ' ')
      .replaceAll(/(?<=\uE00E)[+*]/g, '')
      .replaceAll(/\[[^\]]*\](?:[+*?]|\{[\d,]+\})?|\\S[+*]?|\.(?:[+*]\??|\{[\d,]+\}\??)/g, '…')
      .replaceAll(/\\[dw][+*]?/g, '…')
      .replaceAll('\\b', '')
      .replaceAll('(?:', '(')
      .replaceAll(/^\^|\$$|(?<=[\w)])\?/g, '')
      .replaceAll(/…+/g, '…')
      .replaceAll(/ {2,}/g, ' ')
      .replaceAll(/[\uE000-\uE00F]/g, (mark) => MARKS[mark.charCodeAt(0) - 0xe000] ?? '')
      .trim()
  );
}

const MARKS = ['(', ')', '[', ']', '{', '}', '?', '*', '+', '.', '|', '^', '$', '/', '\\'];
/** Private-use characters in place of escaped ones. */
const PLAIN: Readonly<Record<string, string>> = Object.fromEntries(
  MARKS.map((character, at) => [character, String.fromCharCode(0xe000 + at)]),
);
