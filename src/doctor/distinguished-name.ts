/** The common name, else the organisation, in the lines of a distinguished name (RFC 4514); quoted, fit for one line. */
export function nameIn(distinguishedName: string): string {
  const [, name] =
    /^CN=(.+)$/m.exec(distinguishedName) ?? /^O=(.+)$/m.exec(distinguishedName) ?? [];
  return `"${(name ?? distinguishedName.replaceAll('\n', ', ')).slice(0, 100)}"`;
}
