/** What may reach the upstream, judged on the bytes that did. */
import { METHODS } from '../../../src/config/access-schema.ts';
import { parsePhpParameters, percentDecode, resolvePath } from '../../support/openemr-path.ts';
import type { ReceivedRequest } from '../program/request-reader.ts';
import type { WorldRoute } from '../program/world.ts';

/** Fields that must never come through, whatever the client does. */
const FORBIDDEN = [
  'cookie',
  'x-api-key',
  'proxy-authorization',
  'proxy-connection',
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'keep-alive',
];
const OPEN = /^\/(?:metadata(?:\?|$)|\.well-known\/)/;

/** What is wrong with a request that reached the upstream; empty when nothing is. */
export function findFaults(
  request: ReceivedRequest,
  { path: routePath, relay }: WorldRoute,
  basePath: string,
): string[] {
  if (isVersionQuestion(request)) return [];
  return [
    ...targetFaults(request, basePath),
    ...methodFaults(request, routePath, basePath),
    ...fieldFaults(request, new URL(relay.origin).host, basePath),
  ];
}

/** The one request that the proxy sends of its own: which version the server is. Without a token. */
function isVersionQuestion({ method, target, fields, body }: ReceivedRequest): boolean {
  const names = fields.map(([name]) => name).join(' ');
  return (
    method === 'GET' &&
    target === '/apis/default/api/version' &&
    names === 'host connection user-agent accept via' &&
    body === ''
  );
}

function targetFaults({ target, body, fields }: ReceivedRequest, basePath: string): string[] {
  const question = target.indexOf('?');
  const path = question < 0 ? target : target.slice(0, question);
  const query = question < 0 ? '' : target.slice(question + 1);
  const faults: string[] = [];
  const isInside = (each: string): boolean => each === basePath || each.startsWith(`${basePath}/`);
  if (!isInside(path)) faults.push('the target is not below the FHIR base');
  for (const reading of [path, percentDecode(path), percentDecode(percentDecode(path))]) {
    if (!isInside(resolvePath(reading))) faults.push('a reading of the target leaves the base');
  }
  const rewritten = `_REWRITE_COMMAND=${percentDecode(path).slice('/apis/'.length)}&${query}`;
  const command = parsePhpParameters(rewritten).get('_REWRITE_COMMAND');
  if (typeof command !== 'string' || !isInside(resolvePath(`/apis/${command}`))) {
    faults.push('PHP dispatches outside the base');
  }
  const isForm = fields.some(
    ([name, value]) => name === 'content-type' && value.includes('x-www-form-urlencoded'),
  );
  const parameters = `${query}${isForm ? `&${body}` : ''}`;
  if (parsePhpParameters(parameters).has('_REWRITE_COMMAND')) faults.push('_REWRITE_COMMAND');
  return faults;
}

function methodFaults(
  { method, target, body }: ReceivedRequest,
  routePath: WorldRoute['path'],
  basePath: string,
): string[] {
  if (!METHODS.includes(method as never)) return [`method ${method}`];
  if (routePath === '/fhir') return [];
  const path = target.slice(basePath.length).split('?')[0] ?? '';
  const faults = path.split('/').includes('Encounter') ? ['a denied resource type'] : [];
  if (method === 'GET' || method === 'HEAD') return faults;
  if (method !== 'POST') faults.push(`method ${method} on the read-only route`);
  else if (path === '' || path === '/') {
    if (/"method"\s*:\s*"(?!GET|HEAD)/.test(body)) faults.push('a batch that writes');
  } else if (!/\/_search\/?$|\/\$/.test(path)) faults.push('a write on the read-only route');
  return faults;
}

function fieldFaults(
  { fields, target, method }: ReceivedRequest,
  host: string,
  basePath: string,
): string[] {
  const valuesOf = (name: string): string[] =>
    fields.filter(([each]) => each === name).map(([, value]) => value);
  const faults = FORBIDDEN.filter((name) => valuesOf(name).length > 0).map((name) => `"${name}"`);
  const hosts = valuesOf('host');
  if (hosts.length !== 1 || hosts[0] !== host) faults.push(`host ${hosts.join(', ')}`);
  const credentials = valuesOf('authorization');
  const isOpen = method === 'GET' && OPEN.test(target.slice(basePath.length));
  if (credentials.some((value) => !/^Bearer eyJ[\w.-]+$/.test(value))) faults.push('credentials');
  if (credentials.length !== (isOpen ? 0 : 1)) faults.push(`${credentials.length} authorizations`);
  for (const value of valuesOf('connection')) {
    if (!/^(?:keep-alive|close)$/.test(value)) faults.push(`connection ${value}`);
  }
  return faults;
}
