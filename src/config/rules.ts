import { isIP } from 'node:net';

import { isObject } from '../base/is-object.ts';
import {
  isLoopbackHost,
  isWildcardHost,
  LOOPBACK_ADDRESSES,
  withBrackets,
  withoutBrackets,
} from './host.ts';
import { type ConfigPath, formatPath, valueAt } from './path.ts';
import type { Finding } from './problems.ts';
import { isSandbox } from './sandbox-upstream.ts';
import type { ProxyConfig } from './schema.ts';

/**
 * The rules that concern more than one value. They judge the configuration before the schema does
 * and take nothing about its shape for granted, so that their problems are reported together with
 * the schema's.
 */
export function findBrokenRules(raw: unknown): Finding[] {
  const routes = valueAt(raw, ['routes']);
  const listen = addressOf(raw);
  return [
    ...hostRule(raw, listen?.hosts ?? []),
    ...ownTlsRule(raw),
    ...(Array.isArray(routes) ? routes : []).flatMap((route: unknown, index) => [
      ...uniquePathRule(routes as unknown[], route, index),
      ...clientRule(route, index),
      ...tlsPairRule(route, index),
      ...(listen === undefined ? [] : ownAddressRule(route, index, listen)),
    ]),
  ];
}

/** What is allowed but dangerous or without effect; one sentence each. */
export function findWarnings(config: ProxyConfig): string[] {
  const listen = config.listen.unsafeAnyHost
    ? [
        'listen.unsafeAnyHost is true: any web page can read health data through this proxy by DNS rebinding. List the names in "listen.allowedHosts" instead',
      ]
    : [];
  const log = config.log.showValues
    ? [
        'log.showValues is true: ids, parameter values and bodies, which are health data, stand in the log and on the inspector. Leave it out where patients are real',
      ]
    : [];
  const routes = config.routes.flatMap((route, index) => {
    const at = (...path: ConfigPath) => formatPath(['routes', index, ...path]);
    const url = URL.canParse(route.upstream) ? new URL(route.upstream) : undefined;
    const warnings: string[] = [];
    if (route.tls.insecure) {
      warnings.push(
        `${at('tls', 'insecure')} is true: any certificate is accepted, so anyone on the way to "${url?.host ?? route.upstream}" can read tokens and health data. Name the certificate in "tls.ca" instead`,
      );
    }
    if (url?.protocol === 'http:' && !isLoopbackHost(url.hostname)) {
      warnings.push(
        `${at('upstream')} is plain http beyond this machine: tokens and health data travel readable for anyone on the way. Use https`,
      );
    }
    return warnings;
  });
  return [...listen, ...log, ...routes];
}

function hostRule(raw: unknown, hosts: readonly string[]): Finding[] {
  const allowedHosts = valueAt(raw, ['listen', 'allowedHosts']);
  if (hosts.every(isLoopbackHost)) return [];
  if (Array.isArray(allowedHosts) && allowedHosts.length > 0) return [];
  if (valueAt(raw, ['listen', 'unsafeAnyHost']) === true) return [];
  if (text(raw, 'listen', 'publicUrl') !== undefined) return [];
  return [
    {
      path: ['listen', 'host'],
      message: 'is reachable beyond this machine, and then "listen.allowedHosts" is required',
      remedy:
        'List the host names by which clients call the proxy, for example "allowedHosts": ["proxy.example"] or FHIR_AUTH_PROXY_ALLOWED_HOSTS=proxy.example',
    },
  ];
}

function ownTlsRule(raw: unknown): Finding[] {
  if (text(raw, 'listen', 'socket') === undefined) return [];
  if (valueAt(raw, ['listen', 'tls']) === undefined) return [];
  return [
    {
      path: ['listen', 'tls'],
      message: 'is set together with "listen.socket", on which only programs of this machine speak',
      remedy: 'Leave one of them out',
    },
  ];
}

function uniquePathRule(routes: unknown[], route: unknown, index: number): Finding[] {
  const path = text(route, 'path');
  const first = routes.findIndex((other) => text(other, 'path') === path);
  if (path === undefined || first === index) return [];
  return [
    {
      path: ['routes', index, 'path'],
      message: `is also the path of ${formatPath(['routes', first])}`,
      remedy: 'Give each route a path of its own',
    },
  ];
}

function clientRule(route: unknown, index: number): Finding[] {
  const upstream = text(route, 'upstream');
  if (upstream === undefined || isSandbox(upstream)) return [];
  if (valueAt(route, ['client']) !== undefined) return [];
  return [
    {
      path: ['routes', index, 'client'],
      message: 'is missing: only the sandbox is reached without a client',
      remedy: 'Add "client" with "id", "key" and "scopes"; "fhir-auth-proxy register" makes one',
    },
  ];
}

function tlsPairRule(route: unknown, index: number): Finding[] {
  const pair = ['cert', 'key'] as const;
  const missing = pair.filter((name) => valueAt(route, ['tls', name]) === undefined);
  const [name] = missing;
  if (missing.length !== 1 || name === undefined) return [];
  const message = 'is missing: "tls.cert" and "tls.key" go together';
  return [{ path: ['routes', index, 'tls', name], message }];
}

function ownAddressRule(route: unknown, index: number, listen: OwnAddress): Finding[] {
  return (['upstream', 'tokenEndpoint'] as const).flatMap((name) => {
    const target = text(route, name);
    if (target === undefined || !URL.canParse(target)) return [];
    const url = new URL(target);
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
    if (port !== listen.port) return [];
    const own = listen.hosts.find((host) => reachesListener(url.hostname, host));
    if (own === undefined) return [];
    return [
      {
        path: ['routes', index, name],
        message: `is the address that the proxy itself listens on, ${withBrackets(withoutBrackets(own))}:${listen.port}`,
        remedy: 'Name the server behind the proxy, or choose another "listen.port"',
      },
    ];
  });
}

// Two different loopback addresses are two different listeners; a name can be either.
function reachesListener(target: string, listenHost: string): boolean {
  const host = withoutBrackets(target).toLowerCase();
  const own = withoutBrackets(listenHost).toLowerCase();
  if (host === own) return true;
  if (!isLoopbackHost(host) && !isWildcardHost(host)) return false;
  if (isWildcardHost(own) || isWildcardHost(host)) return true;
  return isLoopbackHost(own) && (isIP(host) === 0 || isIP(own) === 0);
}

function text(value: unknown, ...path: ConfigPath): string | undefined {
  const found = valueAt(value, path);
  return typeof found === 'string' ? found : undefined;
}

/** Where the proxy listens; undefined for a Unix socket, which no URL leads to and no network reaches. */
function addressOf(raw: unknown): OwnAddress | undefined {
  if (text(raw, 'listen', 'socket') !== undefined) return undefined;
  const host = text(raw, 'listen', 'host');
  return { hosts: host === undefined ? LOOPBACK_ADDRESSES : [host], port: portOf(raw) };
}

interface OwnAddress {
  hosts: readonly string[];
  port: number;
}

function portOf(raw: unknown): number {
  const port = isObject(raw) ? valueAt(raw, ['listen', 'port']) : undefined;
  return typeof port === 'number' ? port : 8088;
}
