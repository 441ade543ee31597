import type { TokenSource } from '../base/contracts.ts';

/** Gets a new token in place of the one in hand, whatever state that is in. Rejects with TokenError. */
export async function renewNow(tokens: TokenSource): Promise<void> {
  const inHand = tokens.current();
  tokens.reset();
  await (inHand === undefined ? tokens.get() : tokens.replace(inHand));
}
