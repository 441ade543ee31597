/** Where the token request goes and what its assertion calls that place. */
import type { Logger } from '../base/contracts.ts';
import { TokenError } from '../base/errors.ts';
import { LONGEST_URL } from '../base/grammar.ts';
import { toPlainLine } from '../base/plain-text.ts';
import type { Discovery } from './discovery.ts';
import { isSameService } from './same-service.ts';

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
    assertSameService(discovered, discovery.url);
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

/**
 * A document alone does not decide where client assertions go: a server that lies could have them
 * sent to a host of its own, or make this proxy call other services of this machine. Another origin has to
 * stand in the configuration, which a person has written.
 */
function assertSameService(discovered: string, discoveryUrl: string): void {
  const [announced, document] = [new URL(discovered), new URL(discoveryUrl)];
  if (isSameService(announced, document)) return;
  const says = `the SMART configuration at "${discoveryUrl}" names the token endpoint "${toPlainLine(discovered, LONGEST_URL)}"`;
  if (document.protocol === 'https:' && announced.protocol !== 'https:') {
    throw new TokenError(
      'token-endpoint-insecure',
      `${says}: expected https, since the upstream is https. Set "tokenEndpoint" of the route to the https address; the announced one stays the audience`,
      { kind: 'configuration' },
    );
  }
  throw new TokenError(
    'token-endpoint-elsewhere',
    `${says}, which is not at the upstream's address "${document.origin}". If that is where your server issues tokens, confirm it: add "tokenEndpoint": ${JSON.stringify(discovered)} to the route, or an address of the same server that this machine can reach`,
    { kind: 'configuration' },
  );
}
