import {
  type Node,
  type ParseError,
  createScanner,
  findNodeAtLocation,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';

import { ConfigError, type ConfigProblem } from '../base/errors.ts';
import { type ConfigPath, formatPath } from './path.ts';

/** A place in a text; both count from 1. */
export interface Position {
  line: number;
  column: number;
}

/** A parsed text and the way back from a path to the place where it was written. */
export interface ParsedJson {
  value: unknown;
  /** Place of the value at this path, or of its key; of the nearest parent when it is not there. */
  positionOf(path: ConfigPath, part?: 'key' | 'value'): Position;
  /** Keys that were written more than once in one object. */
  problems: ConfigProblem[];
}

/**
 * Parses JSON with comments and trailing commas.
 * @param source name of the file, for the error
 * @throws ConfigError with line and column when the text is not JSON
 */
export function parseJsonWithComments(text: string, source: string): ParsedJson {
  assertShallow(text, source);
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const error = errors[0];
  if (error !== undefined || root === undefined) {
    const { line, column } = positionAt(text, error?.offset ?? 0);
    throw new ConfigError([
      {
        path: source,
        line,
        column,
        message: `is not valid JSON: ${describeSyntaxError(error)}`,
        remedy: 'Mend the JSON; comments and trailing commas are fine',
      },
    ]);
  }
  const positionOf: ParsedJson['positionOf'] = (path, part = 'value') =>
    positionAt(text, nodeNear(root, path, part).offset);
  const problems: ConfigProblem[] = [];
  const value = buildValue(root, [], (path) => {
    problems.push({
      path: formatPath(path),
      ...positionOf(path, 'key'),
      message: 'is written more than once in the same object',
      remedy: 'Keep one of them',
    });
  });
  return { value, positionOf, problems };
}

/** Deeper than any configuration; the parser calls itself for each level, and would overflow its stack. */
const MOST_LEVELS = 64;

function assertShallow(text: string, source: string): void {
  const scanner = createScanner(text, true);
  let level = 0;
  for (scanner.scan(); scanner.getTokenOffset() < text.length; scanner.scan()) {
    // A string is longer by its quotes.
    const mark = scanner.getTokenLength() === 1 ? text[scanner.getTokenOffset()] : '';
    if (mark === '{' || mark === '[') level += 1;
    if (mark === '}' || mark === ']') level -= 1;
    if (level <= MOST_LEVELS) continue;
    throw new ConfigError([
      {
        path: source,
        ...positionAt(text, scanner.getTokenOffset()),
        message: `is nested more than ${MOST_LEVELS} levels deep: no setting is`,
        remedy: 'Take the inner brackets out',
      },
    ]);
  }
}

// jsonc-parser has its own getNodeValue, but it lets the last of two equal keys win silently and
// takes "__proto__" for the prototype.
function buildValue(
  node: Node,
  path: ConfigPath,
  onDuplicate: (path: ConfigPath) => void,
): unknown {
  const children = node.children ?? [];
  if (node.type === 'array') {
    return children.map((child, index) => buildValue(child, [...path, index], onDuplicate));
  }
  if (node.type !== 'object') return node.value;
  const result: Record<string, unknown> = {};
  for (const property of children) {
    const [keyNode, valueNode] = property.children ?? [];
    if (keyNode === undefined || valueNode === undefined) continue;
    const key = String(keyNode.value);
    const childPath = [...path, key];
    if (Object.hasOwn(result, key)) onDuplicate(childPath);
    Object.defineProperty(result, key, {
      value: buildValue(valueNode, childPath, onDuplicate),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return result;
}

function nodeNear(root: Node, path: ConfigPath, part: 'key' | 'value'): Node {
  for (let length = path.length; length > 0; length -= 1) {
    const node = findNodeAtLocation(root, path.slice(0, length));
    if (node === undefined) continue;
    const key = node.parent?.type === 'property' ? node.parent.children?.[0] : undefined;
    return part === 'key' && length === path.length && key !== undefined ? key : node;
  }
  return root;
}

function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = Math.max(before.lastIndexOf('\n'), before.lastIndexOf('\r')) + 1;
  return { line: before.split(/\r\n|\r|\n/).length, column: offset - lineStart + 1 };
}

const SYNTAX_ERRORS: Readonly<Record<string, string>> = {
  InvalidSymbol: 'a word that is not true, false or null, or text without quotes',
  InvalidNumberFormat: 'a number that is not one',
  PropertyNameExpected: 'expected a key in double quotes',
  ValueExpected: 'expected a value',
  ColonExpected: 'expected ":" after the key',
  CommaExpected: 'expected ","',
  CloseBraceExpected: 'expected "," or "}"',
  CloseBracketExpected: 'expected "," or "]"',
  EndOfFileExpected: 'expected nothing more after the end',
  UnexpectedEndOfComment: 'a comment without end',
  UnexpectedEndOfString: 'text without closing quote',
  UnexpectedEndOfNumber: 'a number without end',
  InvalidUnicode: 'a \\u escape that is not four hexadecimal digits',
  InvalidEscapeCharacter: 'an escape that JSON does not have; write "\\\\" for "\\"',
  InvalidCharacter: 'a control character; write it as an escape',
};

// The text around the error is never quoted: it may be a key.
function describeSyntaxError(error: ParseError | undefined): string {
  if (error === undefined) return 'it is empty';
  const name = printParseErrorCode(error.error);
  return SYNTAX_ERRORS[name] ?? name;
}
