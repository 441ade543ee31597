/** Reads a number from the command line. Throws when it is none, or less than `least`: nothing may pass for having done nothing. */
export function parseNumberFlag(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= least) return value;
  throw new Error(`--${name} is "${text}": expected a number from ${least} up`);
}
