/** What is written from the catalogue of hints: docs/hints.md. */
import type { CatalogueEntry, Family } from '../../src/hints/catalogue/entry.ts';
import { CATALOGUE, FAMILIES, FAMILY_TITLES } from '../../src/hints/catalogue/index.ts';
import { describeRecognition } from '../../src/hints/recognition.ts';

const INTRODUCTION = `# Hints

This page is written from \`src/hints/catalogue/\` by \`npm run docs\`; a test fails when it is stale.

OpenEMR answers most failures with a status and little else: some twenty causes share one
\`invalid_client\` body, and 401 may mean an expired token, a missing scope or a broken key of the
server. The cause stands in its error log. fhir-auth-proxy puts together what it sent, what came back,
what the log says (\`errorLog\` or \`errorLogCommand\` of a route) and what it can check on its own side,
and says what it means and what to do.

- A hint is **certain** when a line of the log or an unambiguous answer proves it, else **likely**.
- Log lines of a server that runs elsewhere can be explained too: \`fhir-auth-proxy explain error.log\`,
  or pasted: \`fhir-auth-proxy explain -\`.
- While the proxy runs, each hint has a page, \`/_proxy/hints/ID\`; \`/_proxy/hints/\` lists them all.

In the texts that a hint is recognised by, \`…\` stands for anything and \`(a|b)\` for a or b.
`;

/** Text of docs/hints.md. */
export function buildHintsPage(): string {
  const chapters = Object.entries(FAMILIES).map(
    ([family, entries]) =>
      `## ${FAMILY_TITLES[family as Family]}\n\n${entries.map((entry) => buildSection(entry)).join('\n')}`,
  );
  const contents = Object.entries(FAMILIES).map(([family, entries]) => {
    const links = entries.map(({ id }) => `[${id}](#${id})`).join(', ');
    return `- ${FAMILY_TITLES[family as Family]}: ${links}`;
  });
  return `${INTRODUCTION}\n${CATALOGUE.length} hints:\n\n${contents.join('\n')}\n\n${chapters.join('\n')}`;
}

function buildSection(entry: CatalogueEntry): string {
  const { id, title, cause, fix, versions, links = [] } = entry;
  const signs = describeRecognition(entry).map(
    ({ prose, codes }) =>
      `  - ${escapeMarkdown(prose)}${codes.length === 0 ? '' : `: ${codes.map(asCode).join(' or ')}`}`,
  );
  const lines = [
    `### ${id}`,
    '',
    `**${escapeMarkdown(title)}**`,
    '',
    escapeMarkdown(cause),
    '',
    `- **Fix:** ${escapeMarkdown(fix)}`,
    `- **OpenEMR:** ${versions}`,
    '- **Recognised by:**',
    ...signs,
    ...(links.length === 0
      ? []
      : [
          `- **More:** ${links.map(({ label, url }) => `[${escapeMarkdown(label)}](${url})`).join(', ')}`,
        ]),
  ];
  return `${lines.join('\n')}\n`;
}

function escapeMarkdown(text: string): string {
  return text.replaceAll(/[<>[\]*_`]/g, String.raw`\$&`);
}

function asCode(text: string): string {
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``;
}
