/**
 * `/interface/smart/admin-client.php`: a small stand-in for Admin > System > API Clients, where an
 * administrator enables a newly registered client. For scripts: `POST` with `client_id` and
 * `action=enable` (or `disable`), as a form or as JSON.
 */
import type { SandboxAnswer, SandboxClient, SandboxRequest } from './exchange.ts';
import { parsePhpForm } from './php-form.ts';
import type { SandboxState } from './versions/profile.ts';

/** Path of the page. */
export const ADMIN_PAGE = '/interface/smart/admin-client.php';

/** `GET`: the list. `POST`: enables or disables a client; JSON is answered in JSON, a form by a redirect to the list. */
export async function answerAdminPage(
  request: SandboxRequest,
  state: SandboxState,
): Promise<SandboxAnswer> {
  if (request.method === 'POST') return changeClient(request, state);
  return html(200, buildPage([...state.clients.values()]));
}

async function changeClient(request: SandboxRequest, state: SandboxState): Promise<SandboxAnswer> {
  const { headers, body } = request;
  const isJson = headers['content-type']?.startsWith('application/json') === true;
  const input = isJson
    ? parseJsonObject(body.toString('utf8'))
    : Object.fromEntries((await parsePhpForm(headers['content-type'], body)) ?? []);
  const action = textOf(input['action'] ?? 'enable');
  const id = textOf(input['client_id']);
  const client = state.clients.get(id);
  if (client === undefined || (action !== 'enable' && action !== 'disable')) {
    const problem =
      client === undefined
        ? `no client has the client_id "${id}": expected one of the list at ${ADMIN_PAGE}`
        : `unknown action "${action}": expected "enable" or "disable"`;
    return isJson ? json(400, { error: problem }) : html(400, `<p>${escapeHtml(problem)}</p>`);
  }
  client.enabled = action === 'enable';
  if (isJson) return json(200, { client_id: client.id, is_enabled: client.enabled });
  return { status: 303, fields: [['Location', ADMIN_PAGE]], body: '' };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function parseJsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function buildPage(clients: readonly SandboxClient[]): string {
  const rows = clients.map((client) => {
    const id = escapeHtml(client.id);
    const name = escapeHtml(client.name === '' ? '(no name)' : client.name);
    const [action, label] = client.enabled
      ? ['disable', 'Disable client']
      : ['enable', 'Enable client'];
    return `<tr>
<th scope="row">${name}</th>
<td><code>${id}</code></td>
<td>${escapeHtml(client.scope)}</td>
<td>${client.enabled ? 'Enabled' : 'Disabled'}</td>
<td><form method="post" action="${ADMIN_PAGE}">
<input type="hidden" name="client_id" value="${id}">
<input type="hidden" name="action" value="${action}">
<button type="submit" aria-label="${label} ${name}">${label}</button>
</form></td>
</tr>`;
  });
  const table =
    rows.length === 0
      ? '<p>No client is registered.</p>'
      : `<table>
<caption>Clients registered at this sandbox</caption>
<thead><tr><th scope="col">Name</th><th scope="col">Client id</th><th scope="col">Scopes</th><th scope="col">State</th><th scope="col">Action</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API Clients - OpenEMR sandbox</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color-scheme: light dark; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: start; }
th, td { border-bottom: 1px solid; padding: .5rem; text-align: start; vertical-align: top; overflow-wrap: anywhere; }
button { font: inherit; padding: .25rem .75rem; }
</style>
</head>
<body>
<main>
<h1>API Clients</h1>
<p>A client with a system scope starts disabled, and its token requests are refused until it is enabled here.</p>
${table}
</main>
</body>
</html>
`;
}

function html(status: number, body: string): SandboxAnswer {
  return { status, fields: [['Content-Type', 'text/html; charset=utf-8']], body };
}

function json(status: number, body: object): SandboxAnswer {
  return { status, fields: [['Content-Type', 'application/json']], body: JSON.stringify(body) };
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
