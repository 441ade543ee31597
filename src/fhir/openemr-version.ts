/** Versions of OpenEMR. */

/**
 * Whether a version is 7.0.4 or later: there routing, error answers and scopes were made anew. True for
 * a text without numbers: an unknown version is more likely a newer one.
 */
export function isModernVersion(version: string): boolean {
  const [, major, minor = '0', patch = '0'] =
    /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(version) ?? [];
  if (major === undefined) return true;
  const [first, second, third] = [major, minor, patch].map(Number) as [number, number, number];
  return first > 7 || (first === 7 && (second > 0 || third >= 4));
}
