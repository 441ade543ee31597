/** The catalogue of failures, most specific first. */
import { ACCESS_TOKEN_ENTRIES } from './access-token.ts';
import { CLAIM_ENTRIES, SIGNATURE_ENTRIES } from './assertion.ts';
import { BASE_ENTRIES } from './base.ts';
import { BULK_ENTRIES } from './bulk.ts';
import { CLIENT_ENTRIES } from './client.ts';
import type { CatalogueEntry, Family } from './entry.ts';
import { JWKS_ENTRIES } from './jwks.ts';
import { CONNECTION_ENTRIES, TLS_ENTRIES } from './network.ts';
import { PERMISSION_ENTRIES } from './permission.ts';
import { REGISTRATION_ENTRIES } from './registration.ts';
import { ROUTE_ENTRIES } from './route.ts';
import { SCOPE_ENTRIES } from './scope.ts';
import { SEARCH_ENTRIES } from './search.ts';
import { SETUP_ENTRIES } from './setup.ts';
import { TOKEN_REQUEST_ENTRIES } from './token-request.ts';
import { WEB_SERVER_ENTRIES } from './web-server.ts';

/** The entries of each family; the order decides between hints that are equally sure. */
export const FAMILIES: Readonly<Record<Family, readonly CatalogueEntry[]>> = {
  network: [...CONNECTION_ENTRIES, ...TLS_ENTRIES, ...BASE_ENTRIES],
  'web-server': WEB_SERVER_ENTRIES,
  client: CLIENT_ENTRIES,
  jwks: JWKS_ENTRIES,
  assertion: [...CLAIM_ENTRIES, ...SIGNATURE_ENTRIES],
  'token-request': TOKEN_REQUEST_ENTRIES,
  scope: SCOPE_ENTRIES,
  registration: REGISTRATION_ENTRIES,
  setup: SETUP_ENTRIES,
  bulk: BULK_ENTRIES,
  permission: PERMISSION_ENTRIES,
  'access-token': ACCESS_TOKEN_ENTRIES,
  route: ROUTE_ENTRIES,
  search: SEARCH_ENTRIES,
};

/** Their names as people read them. */
export const FAMILY_TITLES: Readonly<Record<Family, string>> = {
  network: 'Connection, TLS and the base URL',
  'web-server': 'Apache, PHP and the database',
  client: 'The client',
  jwks: 'The JWK Set',
  assertion: 'The client assertion',
  'token-request': 'The token request',
  scope: 'Scopes',
  registration: 'Registration',
  setup: "OpenEMR's own set-up",
  bulk: 'Bulk export',
  permission: 'What a token may do',
  'access-token': 'The access token',
  route: 'Where a FHIR request goes',
  search: 'What a FHIR request asks for',
};

/** Every entry. */
export const CATALOGUE: readonly CatalogueEntry[] = Object.values(FAMILIES).flat();

const byId = new Map(CATALOGUE.map((entry) => [entry.id, entry]));

/** The entry with this id, or undefined. */
export function findEntry(id: string): CatalogueEntry | undefined {
  return byId.get(id);
}
