import type { Argv, ArgumentsCamelCase } from 'yargs';

import type { Runtime } from './runtime.ts';

/** Something to do with a command, for its help page: what one wants, then what one types. */
export interface Example {
  /** The task as an imperative, such as "Try the proxy without a server". */
  task: string;
  /** What to type, without a prompt. */
  command: string;
}

/**
 * One command. The file of its name in this folder exports it as `xCommand`; `list.ts` lists it, and
 * loads the file only when it runs or when its help is asked for.
 *
 * `run` reports through `runtime` alone and never ends the process. It returns the exit code; what
 * it throws is reported by `report.ts`: `ConfigError` and `UsageError` end with 2, all else with 1.
 */
export interface Command<Args> {
  /** What the command is for, in one to three sentences; top of the help page. */
  readonly purpose: string;
  /** Shown before everything else in the help page, the most wanted first. */
  readonly examples: readonly Example[];
  /** Whether words after `--` are for the command, as `args['--']`; otherwise they are refused. */
  readonly takesRest?: boolean;
  /** Values of the first positional, for completion in shells, when they are few and known. */
  readonly words?: readonly string[];
  /** Declares flags and positionals; a required value is `string` with `requiresArg`. */
  options(yargs: Argv): Argv<Args>;
  run(args: ArgumentsCamelCase<Args>, runtime: Runtime): Promise<number>;
}
