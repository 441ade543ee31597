import { createRequire } from 'node:module';

/** Version of the program, from its package.json: found by the package's own name, so that sources, library and bundle find the same one. */
export function readVersion(): string {
  const require = createRequire(import.meta.url);
  return (require('fhir-auth-proxy/package.json') as { version: string }).version;
}
