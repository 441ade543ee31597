/** Where the token request goes and what its assertion calls that place. */
import type { Logger } from '../base/contracts.ts';
import { TokenError } from '../base/errors.ts';
import type { Discovery } from './discovery.ts';

/** Address and name of a token endpoint; they differ where the proxy reaches the server by another name. */
export interface TokenEndpoint {
  /** Where the request is sent. */
  url: string;
  /** `aud` of the assertion. */
  audience: string;
}

/** What decides about it. */
export interface TokenEndpointOptions {
  discovery: Discovery;
  /** As configured, else as discovered. */
  tokenEndpoint?: string | undefined;
  /** As configured, else as discovered, else the configured token endpoint. */
  audience?: string | undefined;
  logger: Logger;
}

/**
 * The address is the configured token endpoint, else the discovered one. The audience is the
 * configured one, else the token endpoint as the server itself announces it, else the address:
 * servers compare `aud` with the name that they know themselves by (RFC 7523 section 3, item 3).
 */
export async function resolveTokenEndpoint(options: TokenEndpointOptions): Promise<TokenEndpoint> {
  const { discovery, tokenEndpoint, audience, logger } = options;
  if (tokenEndpoint === undefined) {
    const { tokenEndpoint: discovered } = await discovery.get();
    assertNotDowngraded(discovered, discovery.url);
    return { url: discovered, audience: audience ?? discovered };
  }
  if (audience !== undefined) return { url: tokenEndpoint, audience };
  try {
    const { tokenEndpoint: discovered } = await discovery.get();
    return { url: tokenEndpoint, audience: discovered };
  } catch (error) {
    logger.debug(
      { code: (error as TokenError).code },
      'no SMART configuration: the configured token endpoint is the audience',
    );
    return { url: tokenEndpoint, audience: tokenEndpoint };
  }
}

/** A token must not travel in the clear because a server behind a TLS gateway thinks that it speaks http. */
function assertNotDowngraded(discovered: string, discoveryUrl: string): void {
  if (!discoveryUrl.startsWith('https:') || new URL(discovered).protocol === 'https:') return;
  throw new TokenError(
    'token-endpoint-insecure',
    `the SMART configuration at "${discoveryUrl}" names the token endpoint "${discovered}": expected https, since the upstream is https. Set "tokenEndpoint" to the https address; the announced one stays the audience`,
    { kind: 'configuration' },
  );
}
