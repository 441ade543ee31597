/** What is written from the configuration schema: the JSON Schema file and docs/configuration.md. */
import { z } from 'zod';

import { type ConfigPath, formatPath } from '../../src/config/path.ts';
import { keysAt, noteAt, schemaAt } from '../../src/config/schema-walk.ts';
import { configSchema } from '../../src/config/schema.ts';
import { CONFIG_VARIABLE, settingsAt } from '../../src/config/settings.ts';

/** Text of `proxy.config.schema.json`: what people write, so defaulted values are optional. */
export function buildJsonSchema(): string {
  // Draft 7 is the newest that all common editors know.
  const schema = z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' });
  return `${JSON.stringify(schema, null, 2)}\n`;
}

const INTRODUCTION = `# Configuration

This page is written from \`src/config/schema.ts\` by \`npm run docs\`; a test fails when it is stale.

A value comes from the first of these that gives it:

1. a flag (\`fhir-auth-proxy start --help\` lists them)
2. the environment
3. the config file: the one that \`--config\` or \`${CONFIG_VARIABLE}\` names, else \`proxy.config.json\` in the working directory
4. the default

No file is needed when the environment gives \`FHIR_AUTH_PROXY_UPSTREAM\`, or with \`--sandbox\`.

- **The file** is JSON; comments and trailing commas are fine. \`"$schema": "./proxy.config.schema.json"\` gives completion and checks in editors. A key that is not known is an error.
- **\`\${NAME}\`** in a string is replaced by that environment variable, which must be set; \`$\${\` stands for the characters \`\${\`. A string that is nothing but \`\${NAME}\` can also give a number, true or false, or a list.
- **Paths** in the file count from its folder, paths in the environment from the working directory.
- **The environment** describes the first route. Lists are separated by spaces or commas. \`true\`, \`1\`, \`yes\` and \`on\` mean true; \`false\`, \`0\`, \`no\` and \`off\` mean false. An empty value counts as not set. A name that begins with \`FHIR_AUTH_PROXY_\` and is not known is warned about.
- **Problems** are all reported at once, with their place and what to do; the exit code is then 2.

What the table cannot say:

- Every route has a path of its own, and a \`client\` unless its upstream is the sandbox.
- \`tls.cert\` and \`tls.key\` go together; \`listen.tls\` and \`listen.socket\` do not.
- A \`listen.host\` beyond loopback needs \`listen.allowedHosts\`.
- No \`upstream\` or \`tokenEndpoint\` may be the address that the proxy itself listens on.
`;

/** Text of docs/configuration.md. */
export function buildConfigurationPage(): string {
  return `${INTRODUCTION}\n${sections([]).join('\n')}`;
}

/** The table of the object at a path, then the sections of the objects in it. */
function sections(path: ConfigPath): string[] {
  const keys = keysAt(path).filter((key) => key !== '$schema');
  const isObject = (key: string) => keysAt(objectPath([...path, key])).length > 0;
  const values = keys.filter((key) => !isObject(key));
  const title = path.length === 0 ? 'Top' : `\`${formatPath(path).replace('[0]', '[]')}\``;
  const table =
    values.length === 0
      ? []
      : [
          `## ${title}`,
          '',
          ...(path.length === 0 ? [] : [noteAt(path).description ?? '', '']),
          ...ownVariables(path),
          '| key | default | environment | what |',
          '|---|---|---|---|',
          ...values.map((key) => row([...path, key])),
          '',
        ];
  return [
    ...(table.length === 0 ? [] : [table.join('\n')]),
    ...keys.filter(isObject).flatMap((key) => sections(objectPath([...path, key]))),
  ];
}

/** The names in the environment of an object that a word may stand in for. */
function ownVariables(path: ConfigPath): string[] {
  const names = settingsAt(path).map(({ variable }) => `\`${variable}\``);
  return names.length === 0 ? [] : [`A word in its place: ${names.join(', ')}.`, ''];
}

/** The path of the object itself: of the first entry when there is a list of them. */
function objectPath(path: ConfigPath): ConfigPath {
  return schemaAt(path)?._zod.def.type === 'array' ? [...path, 0] : path;
}

function row(path: ConfigPath): string {
  const { description = '', fallback, example, isRequired } = noteAt(path);
  const settings = settingsAt(path);
  const flag = settings[0]?.flag?.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const names = settings.map(({ variable }) => `\`${variable}\``);
  const isSaid =
    JSON.stringify(example) === JSON.stringify(fallback) || description.includes(String(example));
  const shown = example === undefined || isSaid ? '' : ` Example: ${code(example)}`;
  const cells = [
    `\`${String(path.at(-1))}\``,
    isRequired ? 'required' : fallback === undefined ? '' : code(fallback),
    [...names, ...(flag === undefined ? [] : [`\`--${flag}\``])].join('<br>'),
    `${description.replaceAll('<', '\\<')}${shown}`,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``;
}
