/** Talking with a person: questions, progress, news. Without a terminal nothing is ever asked. */
import type { Readable, Writable } from 'node:stream';

import { toPlainText } from '../base/plain-text.ts';
import { wrap } from '../observe/pretty.ts';
import type { Runtime } from './runtime.ts';
import { renderText, styled } from './terminal-text.ts';
import { UsageError } from './usage-error.ts';

/** A question that has a flag. */
export interface Question {
  /** Flag or positional that answers it, such as `--scopes`. */
  flag: string;
  /** The question to a person. */
  message: string;
  /** What is missing, for a script: follows the name of the flag. */
  expected: string;
}

/** A running message that can change. */
export interface Progress {
  update(text: string): void;
  /** Ends it with a last line. */
  done(text: string): void;
  /** Ends it without one. */
  stop(): void;
}

/** How a command talks. Everything goes to standard error; results are for standard output. */
export interface Dialogue {
  /** Whether a person is there to answer. */
  readonly interactive: boolean;
  begin(title: string): void;
  /** Something is done or found. */
  step(text: string): void;
  warn(text: string): void;
  /** Several lines that belong together. */
  note(title: string, lines: readonly string[]): void;
  askText(
    question: Question & { placeholder?: string; check?: (text: string) => string | undefined },
  ): Promise<string>;
  askConfirm(question: Question): Promise<boolean>;
  /** At least one is chosen. */
  askMany(
    question: Question & {
      choices: readonly { value: string; hint: string }[];
      initial: readonly string[];
    },
  ): Promise<string[]>;
  progress(text: string): Progress;
}

/** A person pressed Ctrl-C at a question. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

/** A dialogue on the terminal, if standard input and standard error both are one; else plain lines. */
export async function createDialogue(runtime: Runtime): Promise<Dialogue> {
  const { stdin, stderr } = runtime;
  return stdin.isTTY && stderr.isTTY
    ? createTerminalDialogue(runtime)
    : createPlainDialogue(runtime);
}

function createPlainDialogue({ stderr }: Runtime): Dialogue {
  const line = (text: string) => stderr.write(`${text}\n`);
  const refuse = ({ flag, expected }: Question) =>
    Promise.reject(
      new UsageError(
        `${flag} is missing: expected ${expected}`,
        'Without a terminal nothing is asked',
      ),
    );
  return {
    interactive: false,
    begin: () => {},
    step: line,
    warn: (text) => line(`warning: ${text}`),
    note: (title, lines) => line([`${title}:`, ...lines.map((each) => `  ${each}`)].join('\n')),
    askText: refuse,
    askConfirm: refuse,
    askMany: refuse,
    progress(text) {
      line(text);
      return { update: () => {}, done: line, stop: () => {} };
    },
  };
}

/** The prompts write to the terminal themselves, so everything that they are given is cleaned here. */
async function createTerminalDialogue({ stdin, stderr }: Runtime): Promise<Dialogue> {
  const [clack, { default: createSpinner }] = await Promise.all([
    import('@clack/prompts'),
    import('yocto-spinner'),
  ]);
  const output = stderr.rawStream as Writable;
  const common = { input: stdin.stream as Readable, output };
  const bold = (text: string) => renderText(styled('bold', text), stderr.isColored);
  // Two columns are the bar at the margin.
  const fit = (text: string) =>
    toPlainText(text)
      .split('\n')
      .flatMap((line) =>
        line.length > stderr.columns - 4 ? wrap(line, stderr.columns - 4) : [line],
      )
      .join('\n');
  const answer = async <Value>(asked: Promise<Value>): Promise<Exclude<Value, symbol>> => {
    const value = await asked;
    if (clack.isCancel(value)) throw new Cancelled();
    return value as Exclude<Value, symbol>;
  };
  return {
    interactive: true,
    begin: (title) => clack.intro(toPlainText(title), { output }),
    step: (text) => clack.log.step(fit(text), { output }),
    warn: (text) => clack.log.warn(fit(text), { output }),
    note: (title, lines) => clack.log.info([bold(title), ...lines.map(fit)].join('\n'), { output }),
    askText: ({ message, placeholder = '', check }) =>
      answer(
        clack.text({
          ...common,
          message: toPlainText(message),
          placeholder: toPlainText(placeholder),
          validate: (text = '') =>
            text.trim() === '' ? 'expected a text' : plainOrNothing(check?.(text)),
        }),
      ),
    askConfirm: ({ message }) =>
      answer(clack.confirm({ ...common, message: toPlainText(message) })),
    askMany: ({ message, choices, initial }) =>
      answer(
        clack.multiselect({
          ...common,
          message: toPlainText(message),
          options: choices.map(({ value, hint }) => ({
            value,
            label: toPlainText(value),
            hint: toPlainText(hint),
          })),
          initialValues: [...initial],
          maxItems: 12,
          required: true,
        }),
      ),
    progress(text) {
      // Not clack's spinner: it takes the keyboard, and ends the process with 0 on Ctrl-C.
      const spinner = createSpinner({
        text: toPlainText(text),
        stream: output,
        handleSignals: false,
      }).start();
      return {
        update(next) {
          spinner.text = toPlainText(next);
        },
        done: (last) => void spinner.success(toPlainText(last)),
        stop: () => void spinner.stop(),
      };
    },
  };
}

function plainOrNothing(text: string | undefined): string | undefined {
  return text === undefined ? undefined : toPlainText(text);
}
