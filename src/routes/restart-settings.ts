/** Settings that a running proxy cannot change. */
import type { ProxyConfig } from '../config/schema.ts';

/** Names of the settings that differ and take effect only after a restart, such as `listen.port`. */
export function findRestartSettings(running: ProxyConfig, next: ProxyConfig): string[] {
  return [
    ...differing('listen', running.listen, next.listen, ['host', 'port', 'socket']),
    ...((running.listen.tls === undefined) === (next.listen.tls === undefined)
      ? []
      : ['listen.tls']),
    ...differing('listen.limits', running.listen.limits, next.listen.limits),
    ...differing('log', running.log, next.log),
  ];
}

function differing<Section extends object>(
  name: string,
  running: Section,
  next: Section,
  keys = Object.keys({ ...running, ...next }) as (keyof Section & string)[],
): string[] {
  return keys.filter((key) => running[key] !== next[key]).map((key) => `${name}.${key}`);
}
