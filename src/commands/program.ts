import yargs, { type ArgumentsCamelCase, type Argv, type PositionalOptions } from 'yargs';

import { suggest } from '../config/suggest.ts';
import {
  type Argument,
  type Arguments,
  type Command,
  type ListedCommand,
  nameOf,
  type ParsedArguments,
} from './command.ts';
import { formatHelpPage } from './help-page.ts';
import { commands as allCommands } from './list.ts';
import { reportFailure } from './report.ts';
import { EXIT, type Runtime } from './runtime.ts';
import { UsageError } from './usage-error.ts';

/** Name of the program, as people type it. */
const PROGRAM = 'fhir-auth-proxy';

/** What {@link runProgram} needs besides arguments and runtime. */
export interface ProgramOptions {
  version: string;
  /** Default: all of `list.ts`. The first is what runs when none is named. */
  commands?: readonly ListedCommand[];
}

/**
 * Runs the command that the arguments name and gives the exit code. Never throws and never ends
 * the process.
 * @param argv arguments after the name of the program
 */
export async function runProgram(
  argv: readonly string[],
  runtime: Runtime,
  options: ProgramOptions,
): Promise<number> {
  const { version, commands = allCommands } = options;
  try {
    if (argv[0] === '--version' || argv[0] === '-v' || argv[0] === 'version') {
      runtime.stdout.write(`${version}\n`);
      return EXIT.ok;
    }
    const { listed, words, isNamed } = findCommand(argv, commands);
    const command = await listed.load();
    const parsed = await parseWords(words, listed, command, options);
    if ('text' in parsed) {
      const page =
        parsed.text === version
          ? version
          : formatHelpPage(parsed.text, command, listed, isNamed ? [] : commands);
      runtime.stdout.write(`${page}\n`);
      return EXIT.ok;
    }
    await command.run(parsed.args, runtime);
    return EXIT.ok;
  } catch (error) {
    return reportFailure(error, runtime);
  }
}

interface Found {
  listed: ListedCommand;
  /** What is left for the command. */
  words: readonly string[];
  isNamed: boolean;
}

/** The command is the first word, unless that is a flag; `help COMMAND` is `COMMAND --help`. */
function findCommand(argv: readonly string[], commands: readonly ListedCommand[]): Found {
  const [first, ...rest] = argv;
  if (first === 'help') {
    const [name, ...more] = rest;
    return findCommand([...(name === undefined ? [] : [name]), '--help', ...more], commands);
  }
  const [byDefault] = commands;
  if (byDefault === undefined) throw new TypeError('the program has no command');
  if (first === undefined || first.startsWith('-')) {
    return { listed: byDefault, words: argv, isNamed: false };
  }
  const listed = commands.find((candidate) => nameOf(candidate) === first);
  if (listed !== undefined) return { listed, words: rest, isNamed: true };
  const meant = suggest(first, commands.map(nameOf));
  throw new UsageError(
    `unknown command "${first}"`,
    meant === undefined ? `Run "${PROGRAM} --help" for a list` : `Did you mean "${meant}"?`,
  );
}

/** The arguments as the command declares them, or the text that yargs writes for help and version. */
async function parseWords(
  words: readonly string[],
  listed: ListedCommand,
  command: Command,
  { version, commands = allCommands }: ProgramOptions,
): Promise<{ args: ParsedArguments<Arguments> } | { text: string }> {
  const name = nameOf(listed);
  const see = `Run "${PROGRAM} ${name} --help" for usage`;
  let args: ArgumentsCamelCase<object> | undefined;
  let text = '';
  await createParser(version, listed, see)
    .command(
      listed.name.replace(name, '$0'),
      false,
      (builder) => declare(command.arguments, builder),
      (parsed) => {
        args = parsed;
      },
    )
    .parseAsync([...words], {}, (_error, _args, output) => {
      text = output.trim();
    });
  if (text !== '' || args === undefined) return { text };
  assertKnown(args, command, commands, see);
  assertSwitches(words, command.arguments, see);
  return { args: parseValues(args, command.arguments) };
}

function declare(declared: Arguments, parser: Argv): Argv {
  for (const [name, { positional, parse: _, ...options }] of Object.entries(declared)) {
    if (positional === true) parser.positional(name, options as PositionalOptions);
    else parser.option(name, options);
  }
  return parser;
}

/** The value of each argument, by its own name. */
function parseValues(
  given: ArgumentsCamelCase<object>,
  declared: Arguments,
): ParsedArguments<Arguments> {
  const found = given as Record<string, unknown> & { '--'?: string[] };
  const values = Object.entries(declared).map(([name, { parse }]) => {
    const value = found[name];
    return [name, parse !== undefined && typeof value === 'string' ? parse(value) : value];
  });
  return { ...Object.fromEntries(values), '--': found['--'] ?? [] };
}

/** yargs takes everything that is not `true` for `false`. */
function assertSwitches(words: readonly string[], declared: Arguments, see: string): void {
  const switches = Object.entries(declared).flatMap(([name, argument]) =>
    argument.type === 'boolean' ? namesOf(name, argument) : [],
  );
  for (const word of words) {
    if (word === '--') return;
    const [, name, value] = /^--([^=]+)=(.*)$/s.exec(word) ?? [];
    if (name === undefined || !switches.includes(name)) continue;
    if (value === 'true' || value === 'false') continue;
    throw new UsageError(`"--${name}" takes no value: expected it alone, or with "=false"`, see);
  }
}

function createParser(version: string, listed: ListedCommand, see: string): Argv {
  return yargs([])
    .locale('en')
    .exitProcess(false)
    .usage('')
    .wrap(100)
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
    .version(version)
    .fail((message, error) => {
      // yargs gives its own findings as text or as YError; anything else is a defect of ours.
      const own = error as Error | undefined;
      if (own !== undefined && own.name !== 'YError') throw own;
      throw new UsageError(sayFinding((own?.message ?? message).trim(), listed), see);
    });
}

/** What yargs found, in our words. */
function sayFinding(finding: string, { name }: ListedCommand): string {
  if (finding.startsWith('Not enough non-option arguments')) {
    return `too few arguments: expected "${PROGRAM} ${name}"`;
  }
  const valueless = /^Not enough arguments following: (.+)$/.exec(finding)?.[1];
  if (valueless !== undefined) return `"${asFlag(valueless)}" has no value: expected one behind it`;
  const [, one, other] = /^Arguments (\S+) and (\S+) are mutually exclusive$/.exec(finding) ?? [];
  if (one !== undefined && other !== undefined) {
    return `"${asFlag(one)}" and "${asFlag(other)}" do not go together: expected one of them`;
  }
  return finding.charAt(0).toLowerCase() + finding.slice(1);
}

// yargs has a strict mode, but it does not separate flags from words, nor suggest what was meant.
function assertKnown(
  args: ArgumentsCamelCase<object>,
  { takesRest, arguments: declared }: Command,
  commands: readonly ListedCommand[],
  see: string,
): void {
  const rest = (args as { '--'?: string[] })['--'] ?? [];
  const [word] = takesRest === true ? args._ : [...args._, ...rest];
  if (word !== undefined) {
    const isCommand = commands.some((candidate) => nameOf(candidate) === word);
    const behind = `Write the command to run behind "--": "${PROGRAM} … -- ${word} …"`;
    const before = isCommand ? `Write the command first: "${PROGRAM} ${word} …"` : see;
    throw new UsageError(`unexpected argument "${word}"`, takesRest === true ? behind : before);
  }
  const known = knownNames(declared);
  const unknown = Object.keys(args).find((key) => !known.has(camelCase(key)));
  if (unknown === undefined) return;
  const meant = suggest(kebabCase(unknown), [...known].map(kebabCase));
  throw new UsageError(
    `unknown flag "${asFlag(unknown)}"`,
    meant === undefined ? see : `Did you mean "${asFlag(meant)}"?`,
  );
}

/** Every declared flag and positional and what yargs adds, in camel case. */
function knownNames(declared: Arguments): Set<string> {
  const names = Object.entries(declared).flatMap(([name, argument]) => namesOf(name, argument));
  return new Set(['_', '$0', '--', 'help', 'h', 'version', ...names.map(camelCase)]);
}

function namesOf(name: string, { alias = [] }: Argument): string[] {
  return [name, ...(typeof alias === 'string' ? [alias] : alias)];
}

function asFlag(name: string): string {
  return name.length === 1 ? `-${name}` : `--${kebabCase(name)}`;
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
