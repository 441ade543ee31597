/** The pages behind `/_proxy/hints/ID`, one hint, and `/_proxy/hints/`, all of them: readable without script and without outside resources. */
import type { CatalogueEntry, Family } from './catalogue/entry.ts';
import { CATALOGUE, FAMILIES, FAMILY_TITLES, findEntry } from './catalogue/index.ts';
import { describeRecognition } from './recognition.ts';

const STYLE = `
:root { color-scheme: light dark; --text: #1b1f24; --dim: #57606a; --back: #fff; --line: #d0d7de; --link: #0757ba; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --dim: #9aa4ae; --back: #0f1318; --line: #30363d; --link: #79b8ff; }
}
body { margin: 0; background: var(--back); color: var(--text); font: 1rem/1.6 system-ui, sans-serif; }
main { max-width: 44rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1rem; margin: 1.75rem 0 .25rem; }
p, ul { margin: 0; } ul { padding-left: 1.25rem; }
.id, dt, .note { color: var(--dim); } .id { font-family: ui-monospace, monospace; }
.fix { border-left: .25rem solid var(--link); padding-left: 1rem; }
code { font: .875rem ui-monospace, monospace; overflow-wrap: anywhere; border: 1px solid var(--line); border-radius: .25rem; padding: 0 .25rem; }
a { color: var(--link); } .note { margin-top: 2rem; font-size: .875rem; }
`.trim();

/**
 * The page of a hint as HTML, or undefined when the catalogue has no such id; for an empty id that
 * of all hints. Its links are relative to the page of all hints.
 */
export function renderHintPage(id: string): string | undefined {
  if (id === '') return renderIndex();
  const entry = findEntry(id);
  return entry === undefined ? undefined : renderEntry(entry);
}

function renderEntry(entry: CatalogueEntry): string {
  const { id, title, cause, fix, versions, links = [] } = entry;
  const signs = describeRecognition(entry).map(({ prose, codes }) => {
    const texts = codes.map((code) => `<code>${escapeHtml(code)}</code>`).join(' or ');
    return `<li>${escapeHtml(prose)}${texts === '' ? '' : `: ${texts}`}</li>`;
  });
  const more = links.map(
    ({ label, url }) =>
      `<li><a href="${escapeHtml(url)}" rel="noreferrer">${escapeHtml(label)}</a></li>`,
  );
  return renderPage(
    title,
    `<h1>${escapeHtml(title)}</h1>
<p class="id">${escapeHtml(id)}</p>
<h2>What it means</h2>
<p>${escapeHtml(cause)}</p>
<h2>What to do</h2>
<p class="fix">${escapeHtml(fix)}</p>
<h2>How it is recognised</h2>
<ul>
${signs.join('\n')}
</ul>
${more.length === 0 ? '' : `<h2>More</h2>\n<ul>\n${more.join('\n')}\n</ul>\n`}<p class="note">OpenEMR versions: ${escapeHtml(versions)}. This page is part of your local proxy; the exchange that led here is in its log, where the hint is more specific. <a href="./">All hints</a></p>`,
  );
}

function renderIndex(): string {
  const chapters = Object.entries(FAMILIES).map(([family, entries]) => {
    const items = entries.map(
      ({ id, title }) =>
        `<li><a href="${escapeHtml(id)}">${escapeHtml(title)}</a> <span class="id">${escapeHtml(id)}</span></li>`,
    );
    return `<h2>${escapeHtml(FAMILY_TITLES[family as Family])}</h2>\n<ul>\n${items.join('\n')}\n</ul>`;
  });
  return renderPage(
    'All hints',
    `<h1>All hints</h1>
<p>${CATALOGUE.length} ways in which requests to OpenEMR fail: what each means, and what to do.</p>
${chapters.join('\n')}`,
  );
}

function renderPage(title: string, main: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} - fhir-auth-proxy</title>
<style>
${STYLE}
</style>
</head>
<body>
<main>
${main}
</main>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
