import { type ConfigPath, formatPath } from './path.ts';
import { noteAt, valuePaths } from './schema-walk.ts';

/** What every environment name of this program begins with. */
export const VARIABLE_PREFIX = 'FHIR_AUTH_PROXY_';

/** Environment name of the config file's path. */
export const CONFIG_VARIABLE = `${VARIABLE_PREFIX}CONFIG`;

/** Environment name that lets the config file run programs (`start --trust`). */
export const TRUST_VARIABLE = `${VARIABLE_PREFIX}TRUST`;

/** Values that the command line may give; they win over environment and file. */
export interface ConfigFlags {
  /** One route `/fhir` to the embedded sandbox, whatever file and environment say. */
  sandbox?: boolean | undefined;
  host?: string | undefined;
  /** Text or number; judged like any other value. */
  port?: string | number | undefined;
  /** Path of a Unix socket, relative to the working directory. */
  socket?: string | undefined;
  unsafeAnyHost?: boolean | undefined;
  logFormat?: string | undefined;
  logLevel?: string | undefined;
  showValues?: boolean | undefined;
}

/** A value of the configuration that can also come from the environment or from a flag. */
export interface Setting {
  /** Where it stands; values of routes in the first route. */
  path: ConfigPath;
  /** Environment name, such as `FHIR_AUTH_PROXY_PORT`. */
  variable: string;
  /** Member of {@link ConfigFlags}. */
  flag?: Exclude<keyof ConfigFlags, 'sandbox'>;
  /** `file`: the path of a file, relative to the working directory; `inline`: what such a file holds. */
  content?: 'file' | 'inline';
}

// Names that do not follow from the path; `content` marks what names a file.
const NAMED: Readonly<Record<string, readonly Partial<Setting>[]>> = {
  'routes[0].client.key': [
    { variable: 'KEY_FILE', content: 'file' },
    { variable: 'KEY', content: 'inline' },
  ],
  'routes[0].client.publish': [{ variable: 'PUBLISH_FILES', content: 'file' }],
  'routes[0].client.keyId': [{ variable: 'KEY_ID' }],
  'routes[0].client.scopes': [{ variable: 'SCOPES' }],
  'routes[0].tls.ca': [{ variable: 'CA_FILE', content: 'file' }],
  'routes[0].tls.cert': [{ variable: 'TLS_CERT_FILE', content: 'file' }],
  'routes[0].tls.key': [{ variable: 'TLS_KEY_FILE', content: 'file' }],
  'routes[0].tls.insecure': [{ variable: 'INSECURE' }],
  'routes[0].errorLog': [{ variable: 'ERROR_LOG', content: 'file' }],
  'log.showValues': [{ variable: 'SHOW_VALUES', flag: 'showValues' }],
  'log.format': [{ flag: 'logFormat' }],
  'log.level': [{ flag: 'logLevel' }],
  'listen.tls': [{ variable: 'LISTEN_TLS' }],
  'listen.tls.cert': [{ variable: 'LISTEN_TLS_CERT_FILE', content: 'file' }],
  'listen.tls.key': [{ variable: 'LISTEN_TLS_KEY_FILE', content: 'file' }],
  'listen.host': [{ flag: 'host' }],
  'listen.port': [{ flag: 'port' }],
  'listen.socket': [{ flag: 'socket', content: 'file' }],
  'listen.unsafeAnyHost': [{ flag: 'unsafeAnyHost' }],
};

/** Every value of the configuration with its name in the environment. */
export const settings: readonly Setting[] = valuePaths()
  .filter((path) => path[0] !== '$schema')
  .flatMap((path) =>
    (NAMED[formatPath(path)] ?? [{}]).map((named) => ({
      ...named,
      path,
      variable: VARIABLE_PREFIX + (named.variable ?? variableOf(path)),
    })),
  );

/** Every environment name that the program reads. */
export const variableNames: readonly string[] = [
  CONFIG_VARIABLE,
  TRUST_VARIABLE,
  ...settings.map(({ variable }) => variable),
];

const filePaths = settings.filter(({ content }) => content === 'file').map(({ path }) => path);

/** Paths, inside a route, of values that name a file. */
export const routeFilePaths: readonly ConfigPath[] = filePaths
  .filter(([section]) => section === 'routes')
  .map((path) => path.slice(2));

/** Paths of values outside the routes that name a file. */
export const otherFilePaths: readonly ConfigPath[] = filePaths.filter(
  ([section]) => section !== 'routes',
);

/** Settings at a path of any route; those with a name in the environment only for the first one. */
export function settingsAt(path: ConfigPath): Setting[] {
  const name = formatPath(inFirstRoute(path));
  return settings.filter((setting) => formatPath(setting.path) === name);
}

/** An example of a good value at a path, or undefined when the schema gives none. */
export function exampleAt(path: ConfigPath): unknown {
  return noteAt(inFirstRoute(path)).example;
}

function inFirstRoute(path: ConfigPath): ConfigPath {
  return path[0] === 'routes' && path.length > 1 ? ['routes', 0, ...path.slice(2)] : path;
}

// `routes[0].timeouts.headMs` is TIMEOUTS_HEAD_MS; the sections "listen" and "access" go unsaid.
function variableOf(path: ConfigPath): string {
  return path
    .filter((step) => !['routes', 0, 'listen', 'access'].includes(step))
    .map((step) =>
      String(step)
        .replace(/[A-Z]/g, (letter) => `_${letter}`)
        .toUpperCase(),
    )
    .join('_');
}
