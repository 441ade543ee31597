/** What Apache does before PHP sees a request: limits, methods, decoding, and the rewrite rules of OpenEMR. */
import { answerAdminPage, ADMIN_PAGE } from './admin-page.ts';
import type { SandboxAnswer, SandboxRequest } from './exchange.ts';
import { answerFhir } from './fhir/index.ts';
import { answerOauth } from './oauth/index.ts';
import { parsePhpForm, parsePhpQuery } from './php-form.ts';
import { answerApiFailure, answerOauthFailure } from './refusal.ts';
import type { SandboxState } from './versions/profile.ts';

/** Bytes of the request line and of one field, and fields of a request: Apache's defaults. */
const MAX_LINE_BYTES = 8190;
const MAX_FIELDS = 100;
/** Methods that OpenEMR's container images let through. */
const METHODS = new Set(['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS']);
const OVERRIDE = '_REWRITE_COMMAND';

/** Which part of the sandbox a request belongs to; the faults differ. */
export type RequestKind = 'token' | 'fhir' | 'other';

/** Decided by the path alone, before anything runs. */
export function requestKind(path: string): RequestKind {
  if (path.startsWith('/oauth2/') && path.includes('/token')) return 'token';
  return path.startsWith('/apis/') ? 'fhir' : 'other';
}

/** Answers a request that was read to its end. */
export async function answerRequest(
  request: SandboxRequest,
  state: SandboxState,
): Promise<SandboxAnswer> {
  const refused = refuseByLimits(request);
  if (refused !== undefined) return refused;
  if (request.method === 'TRACE') return answerTrace(request);
  const path = decodePath(request.path);
  if (path === undefined) return NOT_FOUND;
  if (!METHODS.has(request.method)) return refuseMethod(request, path);

  const directory = /^\/(apis|oauth2)\/(.*)$/s.exec(path);
  const isPhp = directory !== null || path === ADMIN_PAGE;
  if (!isPhp) return NOT_FOUND;
  if (state.faults['php-fpm-down']) return refuseBackend(request);
  if (directory === null) return answerAdminPage(request, state);

  const [, name = '', rest = ''] = directory;
  return rest === '' ? NOT_FOUND : answerScript(request, state, { name, rest, path });
}

/** @param place folder of the script, the rest of the path, and the whole of it */
async function answerScript(
  sent: SandboxRequest,
  state: SandboxState,
  { name, rest, path }: { name: string; rest: string; path: string },
): Promise<SandboxAnswer> {
  const { http } = state.version;
  const method = http.methodOf(sent);
  if (typeof method !== 'string') {
    const refuse = name === 'oauth2' ? answerOauthFailure : answerApiFailure;
    return refuse(sent, state, method);
  }
  const request = { ...sent, method };
  const command = `/${(await findOverride(sent, state)) ?? rest}`;
  // A file that is there is not rewritten.
  const isFile = rest.startsWith(name === 'oauth2' ? 'authorize.php' : 'dispatch.php');
  const endpoint = isFile ? http.scriptEndpoint(path) : command;
  if (name === 'oauth2') return answerOauth(request, state, endpoint);
  const admitted = await http.admit(request, state, endpoint, path);
  if ('answer' in admitted) return admitted.answer;
  return answerFhir(admitted.request, state, admitted.access);
}

/** The page that Apache shows when PHP does not answer in time. */
export function answerGatewayTimeout(request: SandboxRequest, port: number): SandboxAnswer {
  request.log.apache('proxy_fcgi', `AH01075: Error dispatching request to :${port}: (polling)`, {
    before: '(70007)The timeout specified has expired:',
  });
  return errorPage(
    504,
    'Gateway Timeout',
    'The gateway did not receive a timely response\nfrom the upstream server or application.',
  );
}

/** One of Apache's own pages. */
function errorPage(status: number, title: string, text: string): SandboxAnswer {
  const body = `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">\n<html><head>\n<title>${status} ${title}</title>\n</head><body>\n<h1>${title}</h1>\n<p>${text}</p>\n</body></html>\n`;
  return {
    status,
    statusText: title,
    fields: [
      ['Content-Length', String(Buffer.byteLength(body))],
      ['Content-Type', 'text/html; charset=iso-8859-1'],
    ],
    body,
    byApache: true,
  };
}

const NOT_FOUND = errorPage(404, 'Not Found', 'The requested URL was not found on this server.');

function refuseByLimits(request: SandboxRequest): SandboxAnswer | undefined {
  const { method, target, rawHeaders } = request;
  const bad = (text: string) =>
    errorPage(
      400,
      'Bad Request',
      `Your browser sent a request that this server could not understand.<br />\n${text}`,
    );
  if (`${method} ${target} HTTP/1.1`.length > MAX_LINE_BYTES) {
    return errorPage(
      414,
      'Request-URI Too Long',
      "The requested URL's length exceeds the capacity\nlimit for this server.<br />",
    );
  }
  if (rawHeaders.length / 2 > MAX_FIELDS) {
    return bad("The number of request header fields exceeds this server's limit.");
  }
  if (!/^[\w.:[\]-]*$/.test(request.headers['host'] ?? '')) return bad('');
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (`${rawHeaders[i]}: ${rawHeaders[i + 1]}`.length > MAX_LINE_BYTES) {
      return bad('Size of a request header field exceeds server limit.');
    }
  }
  return undefined;
}

/** TraceEnable is on by default: the request comes back, Authorization field and all. */
function answerTrace(request: SandboxRequest): SandboxAnswer {
  const { target, rawHeaders } = request;
  const lines = [`TRACE ${target} HTTP/1.1`];
  for (let i = 0; i < rawHeaders.length; i += 2)
    lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  return {
    status: 200,
    fields: [['Content-Type', 'message/http']],
    body: `${lines.join('\r\n')}\r\n\r\n`,
    byApache: true,
  };
}

function refuseMethod(request: SandboxRequest, path: string): SandboxAnswer {
  const directory = path.split('/').slice(0, 3).join('/');
  request.log.apache(
    'allowmethods',
    `AH01623: client method denied by server configuration: '${request.method}' to /var/www/localhost/htdocs/openemr${directory}`,
  );
  const page = errorPage(
    405,
    'Method Not Allowed',
    `The requested method ${request.method} is not allowed for this URL.`,
  );
  return { ...page, fields: [['Allow', 'TRACE'], ...page.fields] };
}

function refuseBackend(request: SandboxRequest): SandboxAnswer {
  request.log.apache(
    'proxy',
    'AH00957: FCGI: attempt to connect to 127.0.0.1:9010 (127.0.0.1:9010) failed',
    { withClient: false, before: '(111)Connection refused:' },
  );
  request.log.apache('proxy_fcgi', 'AH01079: failed to make connection to backend: 127.0.0.1');
  return errorPage(
    503,
    'Service Unavailable',
    'The server is temporarily unable to service your\nrequest due to maintenance downtime or capacity\nproblems. Please try again later.',
  );
}

/** Decodes once, merges slashes, resolves dot segments. Undefined where Apache answers 404: an encoded slash, a bad escape. */
function decodePath(path: string): string | undefined {
  if (/%2f|%5c|%00|%(?![0-9a-f]{2})/i.test(path) || !path.startsWith('/')) return undefined;
  const bytes = path.replace(/%([0-9a-f]{2})/gi, (_match, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const segments: string[] = [];
  const decoded = Buffer.from(bytes, 'latin1')
    .toString('utf8')
    .replace(/\/{2,}/g, '/');
  for (const segment of decoded.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '.') segments.push(segment);
  }
  return `/${segments.join('/').replace(/^\//, '')}`;
}

/** The caller's own `_REWRITE_COMMAND`: in a form it beats the query, in the query it beats Apache's. */
async function findOverride(
  request: SandboxRequest,
  state: SandboxState,
): Promise<string | undefined> {
  let value = parsePhpQuery(request.query).get(OVERRIDE);
  const { postMaxBytes, rewritesByForm } = state.version.http;
  const small = request.bodyBytes > 0 && request.bodyBytes <= postMaxBytes;
  if (rewritesByForm && request.method === 'POST' && small) {
    const form = await parsePhpForm(request.headers['content-type'], request.body);
    value = form?.get(OVERRIDE) ?? value;
  }
  return value === '' || value === '0' ? undefined : value;
}
