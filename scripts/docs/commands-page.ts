/** What is written from the commands as they are declared: docs/commands.md. */
import {
  type Argument,
  type Command,
  type ListedCommand,
  nameOf,
} from '../../src/commands/command.ts';
import { formatUsage } from '../../src/commands/help-page.ts';
import { commands } from '../../src/commands/list.ts';

const INTRODUCTION = `# Commands

This page is written from \`src/commands/\` by \`npm run docs\`; a test fails when it is stale.

\`fhir-auth-proxy COMMAND --help\` tells the same on a terminal. Without a command, \`start\` runs.
Results go to standard output, everything else to standard error. Values of the configuration can
also come from the [environment](configuration.md), for every command.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | a check or a request failed |
| 2 | bad usage or configuration; every problem is listed, with its place and what to do |
| 130, 143 | ended by SIGINT (Ctrl-C) or SIGTERM, after a graceful stop |

\`exec\` ends with the exit code of the command that it ran.
`;

/** Text of docs/commands.md. */
export async function buildCommandsPage(): Promise<string> {
  const contents = commands.map(
    (listed) => `- [\`${nameOf(listed)}\`](#${nameOf(listed)}): ${listed.summary}`,
  );
  const sections = await Promise.all(
    commands.map(async (listed) => buildSection(listed, await listed.load())),
  );
  return [INTRODUCTION, contents.join('\n'), '', ...sections].join('\n');
}

function buildSection(listed: ListedCommand, command: Command): string {
  const { name } = listed;
  const declared = Object.entries(command.arguments);
  const positionals = declared.filter(([, { positional }]) => positional);
  const flags = declared.filter(([, { positional }]) => !positional);
  const usage = formatUsage(name, command.takesRest);
  const examples = command.examples.map(({ task, command: text }) => `# ${task}\n${text}`);
  return [
    `## ${nameOf(listed)}`,
    '',
    command.purpose,
    '',
    '```text',
    usage,
    '```',
    '',
    ...table('argument', positionals),
    ...table('flag', flags),
    'Examples:',
    '',
    '```text',
    examples.join('\n\n'),
    '```',
    '',
  ].join('\n');
}

function table(title: string, declared: readonly [string, Argument][]): string[] {
  if (declared.length === 0) return [];
  const rows = declared.map(([name, argument]) => {
    const { describe = '' } = argument;
    const value: unknown = argument.default;
    const fallback = value === undefined || value === false ? '' : `\`${JSON.stringify(value)}\``;
    const escaped = describe.replaceAll(/[|<*]/g, String.raw`\$&`);
    return `| ${[formatNames(name, argument), fallback, escaped].join(' | ')} |`;
  });
  return [`| ${title} | default | what |`, '|---|---|---|', ...rows, ''];
}

function formatNames(name: string, { positional, alias, type, array }: Argument): string {
  if (positional) return `\`${name}\``;
  const value = type === 'boolean' ? '' : array ? ' …' : ' VALUE';
  const short = typeof alias === 'string' ? [`\`-${alias}\``] : [];
  return [...short, `\`--${name}${value}\``].join(', ');
}
