/** Where everything of a sandbox is, for people and for scripts. */
import { apiClientsPage } from '../auth/fhir-base.ts';
import type { Sandbox, SandboxVersion } from '../sandbox/index.ts';

/** Where everything is; what `--json` prints. */
export interface Places {
  url: string;
  fhirBase: string;
  tokenEndpoint: string;
  registrationEndpoint: string;
  /** Page where new clients are enabled. */
  adminPage: string;
  /** Address of the fault switches. */
  faults: string;
  openemr: SandboxVersion;
  client: { id: string; keyFile: string; scopes: readonly string[] };
  errorLog: string;
  /** PEM file to trust; with `--tls` only. */
  certificate: string | undefined;
}

/**
 * @param keyFile path of the ready client's private key
 * @param certificate path of the PEM file to trust, with TLS
 */
export function describePlaces(
  { url, fhirBase, tokenEndpoint, client, errorLog }: Sandbox,
  openemr: SandboxVersion,
  keyFile: string,
  certificate: string | undefined,
): Places {
  return {
    url,
    fhirBase,
    tokenEndpoint,
    registrationEndpoint: `${url}/oauth2/default/registration`,
    adminPage: apiClientsPage(url),
    faults: `${url}/__sandbox/faults`,
    openemr,
    client: { id: client.id, keyFile, scopes: client.scopes },
    errorLog,
    certificate,
  };
}

/** For people: one place a line. */
export function formatPlaces(places: Places): string {
  const { client, certificate } = places;
  const lines: [string, string][] = [
    ['FHIR base', places.fhirBase],
    ['token endpoint', places.tokenEndpoint],
    ['registration', places.registrationEndpoint],
    ['API clients', places.adminPage],
    ['faults', places.faults],
    ['client id', client.id],
    ['private key', client.keyFile],
    ['scopes', client.scopes.join(' ')],
    ['error log', places.errorLog],
    ...(certificate === undefined ? [] : ([['certificate', certificate]] as [string, string][])),
  ];
  const text = lines.map(([name, value]) => `  ${name.padEnd(14)}  ${value}\n`).join('');
  return `sandbox of OpenEMR ${places.openemr} ready on ${places.url}\n${text}`;
}
