/** Where this program keeps what it makes for its user (XDG Base Directory). */
import { join } from 'node:path';

/** The folder, absolute and perhaps not there yet; undefined for a user without a home. */
export function findStateFolder(
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const { XDG_STATE_HOME: state, HOME: home, LOCALAPPDATA: windows } = environment;
  const base = state || (home ? join(home, '.local', 'state') : windows);
  return base ? join(base, 'fhir-auth-proxy') : undefined;
}
