import type { InferredOptionType, Options } from 'yargs';

import type { Runtime } from './runtime.ts';

/** Something to do with a command, for its help page: the task, then what to type. */
export interface Example {
  /** The task as an imperative, such as "Try the proxy without a server". */
  task: string;
  /** What to type, without a prompt. */
  command: string;
}

/** A flag or a positional: as yargs takes it, and how its text becomes a value. */
export interface Argument extends Options {
  /** Whether it is found by its place, as the name in `list.ts` has it; otherwise it is a flag. */
  positional?: true;
  /** Turns the text into the value that the command gets. Throws UsageError that names the flag. */
  parse?: (text: string) => unknown;
}

/** Everything that a command takes, by name, in the order of its help page: positionals first. */
export type Arguments = Readonly<Record<string, Argument>>;

/** What a command gets: a value for each argument, typed as it was declared, and the words after `--`. */
export type ParsedArguments<Declared extends Arguments> = {
  readonly [Name in keyof Declared]: ParsedArgument<Declared[Name]>;
} & { readonly '--': readonly string[] };

type ParsedArgument<One extends Argument> = One extends { parse: (text: string) => infer Value }
  ? One extends { default: string } | { demandOption: true }
    ? Value
    : Value | undefined
  : InferredOptionType<One>;

/**
 * One command. The file of its name in this folder exports it as `xCommand`; `list.ts` lists it, and
 * loads the file only when it runs or when its help is asked for.
 *
 * `run` reports through `runtime` alone and never ends the process. When it resolves, the exit code
 * is 0. What it throws is reported by `report.ts`: an `ExitError` ends with its code and no further
 * word, `ConfigError` and `UsageError` end with 2, everything else with 1.
 */
export interface Command<Declared extends Arguments = Arguments> {
  /** What the command is for, in one to three sentences; top of the help page. */
  readonly purpose: string;
  /** Shown before everything else in the help page, the most wanted first. */
  readonly examples: readonly Example[];
  /** Whether words after `--` are for the command, as `args['--']`; otherwise they are refused. */
  readonly takesRest?: boolean;
  /** Values of the first positional, for completion in shells, when they are few and known. */
  readonly words?: readonly string[];
  /** Flags and positionals. */
  readonly arguments: Declared;
  run(args: ParsedArguments<Declared>, runtime: Runtime): Promise<void>;
}

/** A command as the top help page lists it. */
export interface ListedCommand {
  /** Name, then its positionals in yargs' notation, such as `explain <status>`. */
  name: string;
  /** A few words, lower-case, no full stop. */
  summary: string;
  /** Loads the command; only what runs is loaded. */
  load(): Promise<Command>;
}

/** What people type: the name without its positionals. */
export function nameOf({ name }: ListedCommand): string {
  return name.split(' ')[0] ?? name;
}
