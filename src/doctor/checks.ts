/** Every check of a route, in the order in which they run. */
import { tlsCheck } from './certificate.ts';
import type { RouteCheck } from './check.ts';
import { clockCheck } from './clock.ts';
import { discoveryCheck, tokenEndpointCheck } from './discovery.ts';
import { errorLogCheck } from './error-log.ts';
import { baseCheck, metadataCheck } from './fhir-base.ts';
import { publishedKeysCheck, tlsFilesCheck } from './files.ts';
import { keyCheck } from './key.ts';
import { dnsCheck, tcpCheck } from './network.ts';
import { readCheck } from './reads.ts';
import { scopesCheck } from './scopes.ts';
import { grantedScopesCheck, tokenCheck } from './token.ts';

/** From the key to the last resource type; each may use what those before it found out. */
export const ROUTE_CHECKS: readonly RouteCheck[] = [
  keyCheck,
  publishedKeysCheck,
  tlsFilesCheck,
  dnsCheck,
  tcpCheck,
  tlsCheck,
  baseCheck,
  metadataCheck,
  discoveryCheck,
  tokenEndpointCheck,
  clockCheck,
  scopesCheck,
  tokenCheck,
  grantedScopesCheck,
  readCheck,
  errorLogCheck,
];
