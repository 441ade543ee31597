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
