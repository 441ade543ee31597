/** Networks as settings write them. */
import { isIP } from 'node:net';

/** Reads `10.0.0.0/8`, `::1` and the like; undefined when it is neither an address nor a network. */
export function parseNetwork(
  text: string,
): { address: string; bits: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [, address = '', bits] = /^([0-9A-Fa-f:.]{2,45})(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  const most = version === 6 ? 128 : 32;
  const length = bits === undefined ? most : Number(bits);
  if (version === 0 || length > most) return undefined;
  return { address, bits: length, family: version === 6 ? 'ipv6' : 'ipv4' };
}
