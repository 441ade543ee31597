/** The upstream values that stand for the embedded look-alike instead of an address. */

/** Versions of OpenEMR that the look-alike plays; the first is played when none is named. */
export const SANDBOX_UPSTREAM_VERSIONS = ['7.0.3', '8.0.0'] as const;

/** One of those versions. */
export type SandboxUpstreamVersion = (typeof SANDBOX_UPSTREAM_VERSIONS)[number];

const PREFIX = 'sandbox:';

/** Every value: `sandbox`, and `sandbox:` with a version. */
export const SANDBOX_UPSTREAMS: readonly string[] = [
  'sandbox',
  ...SANDBOX_UPSTREAM_VERSIONS.map((version) => PREFIX + version),
];

/** Whether an upstream is the embedded look-alike. */
export function isSandbox(upstream: string): boolean {
  return SANDBOX_UPSTREAMS.includes(upstream);
}

/** Version that a sandbox upstream names, or the default one. */
export function sandboxVersion(upstream: string): SandboxUpstreamVersion {
  const named = SANDBOX_UPSTREAM_VERSIONS.find((version) => upstream === PREFIX + version);
  return named ?? SANDBOX_UPSTREAM_VERSIONS[0];
}
