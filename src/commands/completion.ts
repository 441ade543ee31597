import {
  type Argument,
  type Arguments,
  type Command,
  type ListedCommand,
  nameOf,
} from './command.ts';
import { COMPLETION_SHELLS, type CompletedCommand, formatCompletion } from './completion-script.ts';
import { UsageError } from './usage-error.ts';

const completionArguments = {
  shell: {
    positional: true,
    type: 'string',
    describe: COMPLETION_SHELLS.map((shell) => `"${shell}"`).join(', '),
  },
} satisfies Arguments;

/**
 * The command that prints a script which makes a shell complete commands and flags.
 *
 * @param commands to complete
 */
export function createCompletionCommand(
  commands: readonly ListedCommand[],
): Command<typeof completionArguments> {
  return {
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
        command:
          'fhir-auth-proxy completion fish > ~/.config/fish/completions/fhir-auth-proxy.fish',
      },
    ],
    words: COMPLETION_SHELLS,
    arguments: completionArguments,
    async run({ shell }, { stdout }) {
      const known = COMPLETION_SHELLS.find((each) => each === shell);
      if (known === undefined) {
        throw new UsageError(
          shell === undefined ? 'no shell given' : `unknown shell "${shell}"`,
          `Name one of ${COMPLETION_SHELLS.join(', ')}`,
        );
      }
      stdout.write(formatCompletion(known, await describeCommands(commands)));
    },
  };
}

async function describeCommands(commands: readonly ListedCommand[]): Promise<CompletedCommand[]> {
  const described = [];
  for (const listed of commands) {
    const command = await listed.load();
    described.push({
      name: nameOf(listed),
      summary: listed.summary,
      words: command.words ?? [],
      flags: findFlags(command.arguments),
    });
  }
  return described;
}

function findFlags(declared: Arguments): string[] {
  const flags: [string, Argument][] = Object.entries(declared);
  return [...flags.flatMap(([name, { positional }]) => (positional ? [] : [name])), 'help']
    .sort()
    .map((name) => `--${name}`);
}
