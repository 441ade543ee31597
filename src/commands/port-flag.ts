import { UsageError } from './usage-error.ts';

/** The port number of `--port`; 0 takes a free one. Throws UsageError. */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port >= 0 && port <= 65_535) return port;
  throw new UsageError(`--port is "${text}": expected a number from 0 to 65535`);
}
