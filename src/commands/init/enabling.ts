/** Waits until an administrator has enabled the client. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { AccessToken, Hint } from '../../base/contracts.ts';
import { TokenError } from '../../base/errors.ts';
import type { Route } from '../../routes/route.ts';
import type { Dialogue, Progress } from '../dialogue.ts';
import { explainTokenFailure } from '../route-failure.ts';

/** Milliseconds between two tries; each signs a new assertion. */
const EVERY_MS = 3_000;
/** After this long it is worth a word that something else may be wrong. */
const DOUBT_MS = 120_000;

/** How the waiting ended. */
export type Waiting =
  | { token: AccessToken }
  /** Refused for a reason that waiting does not cure, or until the time was up. */
  | { error: TokenError; hints: readonly Hint[]; timedOut: boolean; waitedMs: number }
  /** A signal came. */
  | { stopped: true };

/**
 * @param longestSeconds undefined for as long as it takes; 0 tries once
 * @param onWaiting called once, when the first try was refused in a way that waiting may cure
 */
export async function waitForToken(
  route: Route,
  longestSeconds: number | undefined,
  dialogue: Dialogue,
  { stop, onWaiting }: { stop: AbortSignal; onWaiting: () => void },
): Promise<Waiting> {
  const begunAtMs = performance.now();
  const longestMs = (longestSeconds ?? Infinity) * 1000;
  let progress: Progress | undefined;
  let doubted = false;
  for (;;) {
    const tried = await tryToken(route);
    if ('token' in tried) {
      const text = 'the client is enabled, the server gave a token';
      if (progress === undefined) dialogue.step(text);
      else progress.done(text);
      return tried;
    }
    const { error, hints } = tried;
    const waitedMs = performance.now() - begunAtMs;
    const timedOut = waitedMs >= longestMs;
    if (timedOut || !isWorthWaiting(error, hints)) {
      progress?.stop();
      return { error, hints, timedOut, waitedMs };
    }
    progress ??= beginWaiting(dialogue, onWaiting);
    progress.update(
      error.kind === 'transient'
        ? `waiting for the server: ${error.message}`
        : `waiting for the client to be enabled (${Math.round(waitedMs / 1000)} s)`,
    );
    if (!doubted && waitedMs > DOUBT_MS && error.kind !== 'transient') {
      doubted = true;
      dialogue.warn(
        'still refused. If the client is enabled: is it the client id of this server and site, and is the client confidential?',
      );
    }
    try {
      await sleep(Math.min(EVERY_MS, longestMs - waitedMs), undefined, { signal: stop });
    } catch {
      progress.stop();
      return { stopped: true };
    }
  }
}

async function tryToken(
  route: Route,
): Promise<{ token: AccessToken } | { error: TokenError; hints: readonly Hint[] }> {
  const startedAtMs = Date.now();
  try {
    // The token source remembers a failure for a while; here every try has to reach the server.
    route.tokens.reset();
    return { token: await route.tokens.get() };
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    return { error, hints: await explainTokenFailure(route, error, startedAtMs) };
  }
}

function beginWaiting(dialogue: Dialogue, onWaiting: () => void): Progress {
  onWaiting();
  // A line of its own: that of the progress is replaced at once.
  dialogue.step('Ctrl-C stops, and running init again goes on from here');
  return dialogue.progress('waiting for the client to be enabled');
}

/** Whether the refusal looks like that of a client which is not enabled, and like nothing else for sure. */
export function isDisabledClient(error: TokenError, hints: readonly Hint[]): boolean {
  return error.kind !== 'transient' && isWorthWaiting(error, hints);
}

/** A disabled client is a 401 with a body that twenty other causes share; a log line may tell them apart. */
function isWorthWaiting(error: TokenError, hints: readonly Hint[]): boolean {
  if (error.kind === 'transient') return true;
  if (hints.some(({ id, certainty }) => id !== 'client-disabled' && certainty === 'certain')) {
    return hints.some(({ id }) => id === 'client-disabled');
  }
  return error.code === 'token-refused' && error.answer?.status === 401;
}
