/**
 * UUIDs as OpenEMR makes them: version 4 in form, with the time in the first 48 bits in steps of
 * 10 microseconds, so that ids sort by creation.
 */

const TIME_DIGITS = 12;
const STEPS_PER_MILLISECOND = 100;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * @param createdAtMs milliseconds since the epoch; fractions count
 * @param random returns a number in [0, 1), such as `Math.random`
 */
export function buildOrderedUuid(createdAtMs: number, random: () => number): string {
  const time = Math.floor(createdAtMs * STEPS_PER_MILLISECOND)
    .toString(16)
    .padStart(TIME_DIGITS, '0')
    .slice(-TIME_DIGITS);
  const digits = (count: number): string =>
    Array.from({ length: count }, () => Math.floor(random() * 16).toString(16)).join('');
  const variant = (8 + Math.floor(random() * 4)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-4${digits(3)}-${variant}${digits(3)}-${digits(12)}`;
}

/** Whether OpenEMR takes a text for a UUID; letter case does not matter. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
