import { ConfigError } from '../base/errors.ts';
/** Where a route leads: a server, or a sandbox that is started for it. */
import { isSandbox, sandboxVersion } from '../config/sandbox-upstream.ts';
import type { ClientConfig, RouteConfig } from '../config/schema.ts';

/** Where a route leads and who it is there. */
export interface Destination {
  /** Absolute URL of the FHIR base, without a slash at the end. */
  fhirBase: string;
  client: ClientConfig;
  /** Whether it is the embedded sandbox, which then runs until `close`. */
  sandbox: boolean;
  /** Path or glob of the error log, if it is a file. */
  errorLog: string | undefined;
  close(): Promise<void>;
}

/** Opens the destination of a route: starts the sandbox if it is one. Rejects with ConfigError when there is no client. */
export async function openDestination(config: RouteConfig): Promise<Destination> {
  if (isSandbox(config.upstream)) {
    const { startSandbox } = await import('../sandbox/index.ts');
    const sandbox = await startSandbox({ version: sandboxVersion(config.upstream) });
    return {
      fhirBase: sandbox.fhirBase,
      client: config.client ?? {
        id: sandbox.client.id,
        key: JSON.stringify(sandbox.client.key),
        scopes: [...sandbox.client.scopes],
      },
      sandbox: true,
      errorLog: config.errorLog ?? sandbox.errorLog,
      close: () => sandbox.close(),
    };
  }
  if (config.client === undefined) {
    throw new ConfigError([
      {
        path: `routes["${config.path}"].client`,
        message: 'is missing: a client id, key and scopes are needed to get a token',
        remedy: 'Register a client with "fhir-auth-proxy init", or set "upstream" to "sandbox"',
      },
    ]);
  }
  return {
    fhirBase: config.upstream.replace(/\/+$/, ''),
    client: config.client,
    sandbox: false,
    errorLog: config.errorLog,
    close: () => Promise.resolve(),
  };
}
