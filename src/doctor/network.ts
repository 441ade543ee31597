/** From the name of the server to a connection. */
import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';

import { withoutBrackets } from '../config/host.ts';
import type { RouteCheck } from './check.ts';
import { failNetwork } from './explain.ts';
import { ok } from './result.ts';

/** Most addresses that are shown. */
const MOST_ADDRESSES = 4;

/** Looks the host name up. */
export const dnsCheck: RouteCheck = {
  name: 'dns',
  needs: [],
  async run(subject) {
    const host = withoutBrackets(subject.base.hostname);
    if (isIP(host) !== 0) return [ok(`${host} is an address, no name to look up`)];
    try {
      const found = await lookup(host, { all: true });
      const addresses = [...new Set(found.map(({ address }) => address))];
      const more = addresses.length > MOST_ADDRESSES ? ', …' : '';
      return [ok(`"${host}" is ${addresses.slice(0, MOST_ADDRESSES).join(', ')}${more}`)];
    } catch (error) {
      return [failNetwork(subject, `"${host}" cannot be resolved`, error)];
    }
  },
};

/** Connects. */
export const tcpCheck: RouteCheck = {
  name: 'tcp',
  needs: ['dns'],
  async run(subject) {
    const { host, port } = addressOf(subject.base);
    try {
      await connectOnce(host, port, subject.config.timeouts.connectMs);
      return [ok(`port ${port} accepts connections`)];
    } catch (error) {
      return [failNetwork(subject, `no connection to "${host}" port ${port}`, error)];
    }
  },
};

/** Host without brackets, and the port that the URL means. */
export function addressOf({ hostname, port, protocol }: URL): { host: string; port: number } {
  return {
    host: withoutBrackets(hostname),
    port: Number(port || (protocol === 'https:' ? 443 : 80)),
  };
}

function connectOnce(host: string, port: number, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const timer = setTimeout(() => {
      socket.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }));
    }, timeoutMs);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
    socket.once('close', () => clearTimeout(timer));
  });
}
