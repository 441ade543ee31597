import { ProxyError } from '../base/errors.ts';
/**
 * The `Host` field (RFC 9110 section 7.2). A page in a browser can make any name of its own point at
 * 127.0.0.1 (DNS rebinding), so only names that belong to this proxy are answered.
 */
import type { ListenConfig } from '../config/schema.ts';
import { isThisMachine, parseAuthority } from './authority.ts';
import type { ScannedFields } from './field-scan.ts';
import { quoted } from './name-in-message.ts';

/** Most accepted spellings that are remembered; ports make them many. */
const MAX_KNOWN = 64;

/** Gives the refusal (`host-refused`, 403), or undefined when the host is this proxy's. */
export type HostCheck = (fields: ScannedFields) => ProxyError | undefined;

/**
 * @param listen `allowedHosts` holds names besides the loopback ones, compared whole, without case and
 * port, as is the host of `publicUrl`; `unsafeAnyHost` lets every well-formed name pass
 */
export function createHostCheck(
  listen: Pick<ListenConfig, 'allowedHosts' | 'publicUrl' | 'unsafeAnyHost'>,
): HostCheck {
  const allowed = new Set(listen.allowedHosts.map((name) => name.toLowerCase()));
  if (listen.publicUrl !== undefined) allowed.add(new URL(listen.publicUrl).hostname);
  const known = new Set<string>();

  return (fields) => {
    if (fields.hostCount !== 1) return refuseCount(fields.hostCount);
    if (known.has(fields.host)) return undefined;
    const authority = parseAuthority(fields.host);
    if (authority === undefined) {
      return refuse(
        `"Host" field ${quoted(fields.host)} is not a host name with an optional port: call the proxy by "localhost"`,
      );
    }
    const ours =
      isThisMachine(authority.host) || allowed.has(authority.host) || listen.unsafeAnyHost;
    if (!ours) {
      const name = quoted(authority.host);
      return refuse(
        `host ${name} is not allowed: expected a loopback name or one of "listen.allowedHosts". To allow it, add ${name} to "listen.allowedHosts"`,
      );
    }
    if (known.size < MAX_KNOWN) known.add(fields.host);
    return undefined;
  };
}

function refuseCount(count: number): ProxyError {
  return refuse(
    count === 0
      ? 'the request has no "Host" field: expected exactly one, such as "localhost"'
      : `the request has ${count} "Host" fields: expected exactly one`,
  );
}

function refuse(message: string): ProxyError {
  return new ProxyError('host-refused', message, { status: 403 });
}
