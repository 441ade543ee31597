/** What is written from the commands as yargs knows them: docs/commands.md. */
import yargs from 'yargs';

import type { Command } from '../../src/commands/command.ts';
import { formatUsage } from '../../src/commands/help-page.ts';
import { commands, type ListedCommand, nameOf } from '../../src/commands/list.ts';

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

function buildSection(listed: ListedCommand, command: Command<object>): string {
  const { name } = listed;
  const { positionals, flags } = readOptions(command, name);
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

interface Option {
  shown: string;
  fallback: string;
  description: string;
}

/** What yargs gathers while a command declares its options; public, but not in yargs' types. */
interface YargsInternals {
  getOptions(): {
    key: Record<string, unknown>;
    alias: Record<string, string[]>;
    boolean: string[];
    array: string[];
    default: Record<string, unknown>;
  };
  getInternalMethods(): { getUsageInstance(): { getDescriptions(): Record<string, string> } };
}

function readOptions(command: Command<object>, name: string) {
  const parser = yargs([]).help(false).version(false);
  const declared = command.options(parser) as unknown as YargsInternals;
  const { key, alias, boolean, array, default: defaults } = declared.getOptions();
  const descriptions = declared.getInternalMethods().getUsageInstance().getDescriptions();
  const words = new Set([...name.matchAll(/[[<](\w+)[\]>]/g)].map(([, word]) => word));
  const shorts = new Set(Object.values(alias).flat());
  const names = Object.keys(key).filter((option) => option.length > 1 || !shorts.has(option));
  const options = names.map((option) => {
    const short = (alias[option] ?? []).filter((other) => other.length === 1);
    const value = boolean.includes(option) ? '' : array.includes(option) ? ' …' : ' VALUE';
    const fallback = defaults[option];
    return {
      option,
      shown: words.has(option)
        ? `\`${option}\``
        : [...short.map((letter) => `\`-${letter}\``), `\`--${option}${value}\``].join(', '),
      fallback:
        fallback === undefined || fallback === false ? '' : `\`${JSON.stringify(fallback)}\``,
      description: descriptions[option] ?? '',
    };
  });
  return {
    positionals: options.filter(({ option }) => words.has(option)),
    flags: options.filter(({ option }) => !words.has(option)),
  };
}

function table(title: string, options: readonly Option[]): string[] {
  if (options.length === 0) return [];
  const rows = options.map(({ shown, fallback, description }) => {
    const escaped = description.replaceAll(/[|<*]/g, String.raw`\$&`);
    return `| ${[shown, fallback, escaped].join(' | ')} |`;
  });
  return [`| ${title} | default | what |`, '|---|---|---|', ...rows, ''];
}
