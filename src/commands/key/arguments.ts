import type { RouteArgs } from '../chosen-route.ts';

/** Arguments of `key`. */
export interface KeyArgs extends RouteArgs {
  action: string | undefined;
  file: string | undefined;
  alg: string;
  bits: string | undefined;
  pem: boolean;
  x509: boolean;
  against: string | undefined;
  force: boolean;
  finish: boolean;
  delete: boolean;
  json: boolean;
}

/** Where `init` and `key generate` put a key when nothing else is said; relative to the working directory. */
export const DEFAULT_KEY_FILE = 'keys/private.jwk.json';
/** The same with `--pem`. */
export const DEFAULT_PEM_FILE = 'keys/private.pem';
