import type { z } from 'zod';

import type { ConfigPath } from './path.ts';
import { configSchema } from './schema.ts';

/** What every environment name of this program begins with. */
export const VARIABLE_PREFIX = 'FHIR_AUTH_PROXY_';

/** Values that the command line may give; they win over environment and file. */
export interface ConfigFlags {
  /** One route `/fhir` to the embedded sandbox, whatever file and environment say. */
  sandbox?: boolean | undefined;
  host?: string | undefined;
  /** Text or number; judged like any other value. */
  port?: string | number | undefined;
  logFormat?: string | undefined;
  logLevel?: string | undefined;
  showValues?: boolean | undefined;
}

/** A value of the configuration that can also come from the environment or from a flag. */
export interface Setting {
  path: ConfigPath;
  /** Environment name without {@link VARIABLE_PREFIX}. */
  variable: string;
  /** Member of {@link ConfigFlags}. */
  flag?: Exclude<keyof ConfigFlags, 'sandbox'>;
  /** What a good value looks like, for remedies and documentation. */
  example: unknown;
  /** `path`: a file, relative to the working directory; `inline`: what a file would hold. */
  content?: 'path' | 'inline';
}

const route = (...path: ConfigPath): ConfigPath => ['routes', 0, ...path];

/** Every setting with a name in the environment; those of routes apply to the first route. */
export const settings: readonly Setting[] = [
  {
    path: route('upstream'),
    variable: 'UPSTREAM',
    example: 'https://localhost:9300/apis/default/fhir',
  },
  { path: route('path'), variable: 'PATH', example: '/fhir' },
  {
    path: route('tokenEndpoint'),
    variable: 'TOKEN_ENDPOINT',
    example: 'https://localhost:9300/oauth2/default/token',
  },
  {
    path: route('audience'),
    variable: 'AUDIENCE',
    example: 'https://localhost:9300/oauth2/default/token',
  },
  { path: route('client', 'id'), variable: 'CLIENT_ID', example: 'Zk3vJ0…' },
  {
    path: route('client', 'key'),
    variable: 'KEY_FILE',
    example: 'keys/private.jwk.json',
    content: 'path',
  },
  {
    path: route('client', 'key'),
    variable: 'KEY',
    example: '-----BEGIN PRIVATE KEY-----…',
    content: 'inline',
  },
  { path: route('client', 'keyId'), variable: 'KEY_ID', example: 'proxy-2026' },
  {
    path: route('client', 'scopes'),
    variable: 'SCOPES',
    example: ['system/Patient.read', 'system/Observation.read'],
  },
  { path: route('tls', 'ca'), variable: 'CA_FILE', example: 'certs/openemr.pem', content: 'path' },
  {
    path: route('tls', 'cert'),
    variable: 'CERT_FILE',
    example: 'certs/client.pem',
    content: 'path',
  },
  {
    path: route('tls', 'key'),
    variable: 'CERT_KEY_FILE',
    example: 'certs/client-key.pem',
    content: 'path',
  },
  { path: route('tls', 'serverName'), variable: 'SERVER_NAME', example: 'openemr.example' },
  { path: route('tls', 'insecure'), variable: 'INSECURE', example: false },
  { path: route('access', 'readOnly'), variable: 'READ_ONLY', example: true },
  { path: route('timeouts', 'connectMs'), variable: 'CONNECT_MS', example: 10_000 },
  { path: route('timeouts', 'headMs'), variable: 'HEAD_MS', example: 180_000 },
  { path: route('timeouts', 'idleMs'), variable: 'IDLE_MS', example: 120_000 },
  { path: route('timeouts', 'tokenMs'), variable: 'TOKEN_MS', example: 30_000 },
  { path: route('maxConnections'), variable: 'MAX_CONNECTIONS', example: 128 },
  { path: route('rewriteLinks'), variable: 'REWRITE_LINKS', example: true },
  {
    path: route('upstreamBases'),
    variable: 'UPSTREAM_BASES',
    example: ['https://openemr.example/apis/default/fhir'],
  },
  {
    path: route('errorLog'),
    variable: 'ERROR_LOG',
    example: '/var/log/apache2/error.log',
    content: 'path',
  },
  { path: ['listen', 'host'], variable: 'HOST', flag: 'host', example: '127.0.0.1' },
  { path: ['listen', 'port'], variable: 'PORT', flag: 'port', example: 8088 },
  { path: ['listen', 'allowedHosts'], variable: 'ALLOWED_HOSTS', example: ['proxy.example'] },
  {
    path: ['listen', 'allowedOrigins'],
    variable: 'ALLOWED_ORIGINS',
    example: ['https://app.example'],
  },
  { path: ['listen', 'apiKey'], variable: 'API_KEY', example: '(at least 16 characters)' },
  { path: ['log', 'format'], variable: 'LOG_FORMAT', flag: 'logFormat', example: 'json' },
  { path: ['log', 'level'], variable: 'LOG_LEVEL', flag: 'logLevel', example: 'info' },
  { path: ['log', 'showValues'], variable: 'SHOW_VALUES', flag: 'showValues', example: false },
  { path: ['drainMs'], variable: 'DRAIN_MS', example: 10_000 },
];

/** Environment name of the config file's path. */
export const CONFIG_VARIABLE = `${VARIABLE_PREFIX}CONFIG`;

/** Every environment name that the program reads. */
export const variableNames: readonly string[] = [
  CONFIG_VARIABLE,
  ...settings.map(({ variable }) => VARIABLE_PREFIX + variable),
];

/** Paths, inside a route, of values that name a file. */
export const routeFilePaths: readonly ConfigPath[] = settings
  .filter(({ content }) => content === 'path')
  .map(({ path }) => path.slice(2));

/** Settings at a path, whatever the number of the route. */
export function settingsAt(path: ConfigPath): Setting[] {
  const wanted = path[0] === 'routes' ? ['routes', 0, ...path.slice(2)] : path;
  return settings.filter(
    (setting) =>
      setting.path.length === wanted.length &&
      setting.path.every((step, index) => step === wanted[index]),
  );
}

/** The schema of the value at a path, without `optional` and `default`; undefined for unknown paths. */
export function schemaAt(path: ConfigPath): z.core.$ZodTypes | undefined {
  let schema: z.core.$ZodType | undefined = configSchema;
  for (const step of path) {
    const inner: z.core.$ZodTypes | undefined = schema && unwrap(schema);
    if (inner?._zod.def.type === 'object') schema = inner._zod.def.shape[step];
    else if (inner?._zod.def.type === 'array') schema = inner._zod.def.element;
    else return undefined;
  }
  return schema && unwrap(schema);
}

/** Keys that an object at this path may have. */
export function keysAt(path: ConfigPath): string[] {
  const schema = schemaAt(path);
  return schema?._zod.def.type === 'object' ? Object.keys(schema._zod.def.shape) : [];
}

/**
 * Turns text into the type that the schema has at a path: numbers, true and false (also 1/0,
 * yes/no, on/off), lists separated by spaces or commas. Text that does not fit stays text, so that
 * the schema refuses it.
 */
export function valueFromText(path: ConfigPath, text: string): unknown {
  const trimmed = text.trim();
  switch (schemaAt(path)?._zod.def.type) {
    case 'number':
      return /^-?\d+(?:\.\d+)?$/.test(trimmed) ? Number(trimmed) : text;
    case 'boolean':
      if (/^(?:true|1|yes|on)$/i.test(trimmed)) return true;
      return /^(?:false|0|no|off)$/i.test(trimmed) ? false : text;
    case 'array':
      return trimmed.split(/[\s,]+/).filter((entry) => entry !== '');
    default:
      return text;
  }
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodTypes {
  let current = schema as z.core.$ZodTypes;
  while ('innerType' in current._zod.def) {
    current = current._zod.def.innerType as z.core.$ZodTypes;
  }
  return current;
}
