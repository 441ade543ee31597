import yargs from 'yargs';

import type { Command } from './command.ts';
import { COMPLETION_SHELLS, type CompletedCommand, formatCompletion } from './completion-script.ts';
import { declaredNames } from './declared-names.ts';
import { commands, nameOf } from './list.ts';
import { EXIT } from './runtime.ts';
import { UsageError } from './usage-error.ts';

interface CompletionArgs {
  shell: string | undefined;
}

/** Prints a script that makes a shell complete commands and flags. */
export const completionCommand: Command<CompletionArgs> = {
  purpose:
    'Prints a script that makes the Tab key complete commands and flags. Run it again after an update.',
  examples: [
    {
      task: 'Complete in bash',
      command: 'fhir-auth-proxy completion bash >> ~/.bashrc',
    },
    {
      task: 'Complete in zsh, from a folder of $fpath',
      command: 'fhir-auth-proxy completion zsh > "${fpath[1]}/_fhir-auth-proxy"',
    },
    {
      task: 'Complete in fish',
      command: 'fhir-auth-proxy completion fish > ~/.config/fish/completions/fhir-auth-proxy.fish',
    },
  ],
  words: COMPLETION_SHELLS,
  options: (yargs) =>
    yargs.positional('shell', {
      type: 'string',
      describe: COMPLETION_SHELLS.map((shell) => `"${shell}"`).join(', '),
    }),
  async run({ shell }, { stdout }) {
    const known = COMPLETION_SHELLS.find((each) => each === shell);
    if (known === undefined) {
      throw new UsageError(
        shell === undefined ? 'no shell given' : `unknown shell "${shell}"`,
        `Name one of ${COMPLETION_SHELLS.join(', ')}`,
      );
    }
    stdout.write(formatCompletion(known, await describeCommands()));
    return EXIT.ok;
  },
};

async function describeCommands(): Promise<CompletedCommand[]> {
  const described = [];
  for (const listed of commands) {
    const { name, summary } = listed;
    const command = await listed.load();
    described.push({
      name: nameOf(listed),
      summary,
      words: command.words ?? [],
      flags: findFlags(command, name),
    });
  }
  return described;
}

function findFlags(command: Command<object>, name: string): string[] {
  const positionals = new Set(name.match(/[\w-]+/g)?.slice(1));
  return [...new Set(declaredNames(command.options(yargs([]))))]
    .filter((each) => !positionals.has(each) && each.length > 1 && each !== 'version')
    .sort()
    .map((each) => `--${each}`);
}
