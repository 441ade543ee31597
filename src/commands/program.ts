import yargs, { type ArgumentsCamelCase, type Argv } from 'yargs';

import { suggest } from '../config/suggest.ts';
import type { Command } from './command.ts';
import { type ListedCommand, commands as allCommands } from './list.ts';
import { reportFailure } from './report.ts';
import { EXIT, type Runtime } from './runtime.ts';
import { UsageError } from './usage-error.ts';

/** Name of the program, as people type it. */
export const PROGRAM = 'fhir-auth-proxy';

interface Invocation {
  command: Command<object>;
  args: ArgumentsCamelCase<object>;
}

/**
 * Runs the command that the arguments name and gives the exit code. Never throws and never ends
 * the process.
 * @param argv - arguments after the name of the program
 */
export async function runProgram(
  argv: readonly string[],
  runtime: Runtime,
  options: { version: string; commands?: readonly ListedCommand[] },
): Promise<number> {
  const { version, commands = allCommands } = options;
  try {
    const invocation = await parseArguments(argv, runtime, commands, version);
    return invocation === undefined
      ? EXIT.ok
      : await invocation.command.run(invocation.args, runtime);
  } catch (error) {
    return reportFailure(error, runtime);
  }
}

/** Finds command and arguments; undefined when help or version was asked for and written. */
async function parseArguments(
  argv: readonly string[],
  runtime: Runtime,
  commands: readonly ListedCommand[],
  version: string,
): Promise<Invocation | undefined> {
  let loaded: Command<object> | undefined;
  let invocation: Invocation | undefined;
  const parser = createParser(runtime).version(version);
  for (const [index, listed] of commands.entries()) {
    parser.command(
      index === 0 ? [listed.name, '$0'] : listed.name,
      listed.summary,
      async (builder) => {
        loaded = await listed.load();
        return loaded.options(builder);
      },
      (args) => {
        if (loaded !== undefined) invocation = { command: loaded, args };
      },
    );
  }
  const words = argv[0] === 'help' ? [...argv.slice(1), '--help'] : [...argv];
  let output = '';
  await parser.parseAsync(words, {}, (_error, _args, text) => {
    output = text;
  });
  if (output !== '') {
    const isVersion = output.trim() === version;
    const page = isVersion || loaded === undefined ? output : `${pageHead(loaded)}\n${output}`;
    runtime.stdout.write(`${page.trimEnd()}\n`);
    return undefined;
  }
  if (invocation !== undefined) assertKnown(invocation.args, parser, commands);
  return invocation;
}

function createParser(runtime: Runtime): Argv {
  return yargs([], runtime.cwd)
    .scriptName(PROGRAM)
    .locale('en')
    .exitProcess(false)
    .usage('')
    .wrap(Math.min(runtime.stdout.columns, 100))
    .parserConfiguration({
      'boolean-negation': false,
      'dot-notation': false,
      'duplicate-arguments-array': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'populate--': true,
    })
    .help()
    .alias('help', 'h')
    .fail((message, error) => {
      throw (
        error ?? new UsageError(lowerFirst(message.trim()), `Run "${PROGRAM} --help" for usage`)
      );
    });
}

/** The part of a help page that is ours: purpose, then tasks with what to type. */
function pageHead({ purpose, examples }: Command<object>): string {
  const tasks = examples.map(({ task, command }) => `  # ${task}\n  ${command}\n`);
  return `${purpose}\n\n${tasks.join('\n')}`;
}

// yargs has a strict mode, but it tells flags from words badly and does not say what was meant.
function assertKnown(
  args: ArgumentsCamelCase<object>,
  parser: Argv,
  commands: readonly ListedCommand[],
): void {
  const names = commands.map(({ name }) => name.split(' ')[0] ?? name);
  const [first, ...rest] = args._.map(String);
  const isNamed = first !== undefined && names.includes(first);
  const word = isNamed ? rest[0] : first;
  if (word !== undefined) {
    throw isNamed
      ? new UsageError(`unexpected argument "${word}"`, usageOf(first))
      : new UsageError(`unknown command "${word}"`, meantOr(suggest(word, names), usageOf()));
  }
  const known = knownFlags(parser);
  const unknown = Object.keys(args).find((key) => !known.has(camelCase(key)) && key !== '--');
  if (unknown === undefined) return;
  const dashes = (name: string) => (name.length === 1 ? `-${name}` : `--${kebabCase(name)}`);
  const meant = suggest(kebabCase(unknown), [...known].map(kebabCase));
  throw new UsageError(
    `unknown flag "${dashes(unknown)}"`,
    meantOr(meant === undefined ? undefined : dashes(meant), usageOf(isNamed ? first : undefined)),
  );
}

/** Every declared flag and positional in camel case; getOptions is public but not in yargs' types. */
function knownFlags(parser: Argv): Set<string> {
  const { key, alias } = (
    parser as unknown as {
      getOptions(): { key: Record<string, unknown>; alias: Record<string, string[]> };
    }
  ).getOptions();
  const names = [...Object.keys(key), ...Object.keys(alias), ...Object.values(alias).flat()];
  return new Set(['_', '$0', ...names.map(camelCase)]);
}

function usageOf(command?: string): string {
  return `Run "${PROGRAM}${command === undefined ? '' : ` ${command}`} --help" for usage`;
}

function meantOr(meant: string | undefined, otherwise: string): string {
  return meant === undefined ? otherwise : `Did you mean "${meant}"?`;
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
