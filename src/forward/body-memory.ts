/**
 * Memory for request bodies that are held: judged, gathered, or kept for sending again. One caller may
 * cost a megabyte each; many at once would cost all there is.
 */
import type { ServerResponse } from 'node:http';

import { ProxyError } from '../base/errors.ts';

/** What all requests together may hold. */
export interface BodyMemory {
  /** Memory for the body of one request; given back when the response is over. */
  open(response: ServerResponse): HeldBytes;
  /** Bytes held now. */
  used(): number;
}

/** What one request holds. */
export interface HeldBytes {
  /** Takes so many bytes more; false, and nothing taken, when there is no room. */
  take(bytes: number): boolean;
  /** Gives back what was taken so far. */
  giveBack(): void;
}

/** @param mostBytes that all requests together may hold */
export function createBodyMemory(mostBytes: number): BodyMemory {
  let used = 0;
  return {
    open(response) {
      let taken = 0;
      const held: HeldBytes = {
        take(bytes) {
          if (used + bytes > mostBytes) return false;
          used += bytes;
          taken += bytes;
          return true;
        },
        giveBack() {
          used -= taken;
          taken = 0;
        },
      };
      response.once('close', () => held.giveBack());
      return held;
    },
    used: () => used,
  };
}

/** The refusal of a body for which there is no room just now (`memory-full`, 503). */
export function refuseForMemory(): ProxyError {
  return new ProxyError(
    'memory-full',
    'too many request bodies are in memory at the moment: send this one again in a second, fewer at a time, or raise "listen.limits.heldBytes"',
    { status: 503, retryAfterSeconds: 1 },
  );
}
