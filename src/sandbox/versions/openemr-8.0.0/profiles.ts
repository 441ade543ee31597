/** Profiles of US Core in the releases that OpenEMR 8.0.0 names. */

const US_CORE = 'http://hl7.org/fhir/us/core/StructureDefinition';
/** Releases by the digit that stands for them in `expand`. */
const RELEASES: Readonly<Record<string, string>> = { 3: '3.1.1', 7: '7.0.0', 8: '8.0.0' };

/** `name@38` names a profile without a release, of US Core 3.1.1 and of 8.0.0. @param profiles space-separated */
export function expand(profiles: string): string {
  return profiles
    .split(' ')
    .flatMap((entry) => {
      const [name = '', digits = ''] = entry.split('@');
      return [name, ...Array.from(digits, (digit) => `${name}|${RELEASES[digit]}`)];
    })
    .join(' ');
}

/** Profiles of the panel of vital signs. */
export const VITAL_SIGNS_PROFILES: readonly string[] = expand(
  'http://hl7.org/fhir/R4/observation-vitalsigns@3 us-core-vital-signs@78',
)
  .split(' ')
  .map(absoluteProfile);

/** Absolute URL of a profile that is named below US Core's. */
export function absoluteProfile(profile: string): string {
  return profile.includes('://') ? profile : `${US_CORE}/${profile}`;
}
