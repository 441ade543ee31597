/** A table of cases: number of a transcript, and how its state is reached and its request made. */
import type { CompareOptions } from './compare.ts';
import type { Replay, ReplayOptions, Stage } from './stage.ts';
import type { Transcript } from './transcript.ts';

/** One case. Everything is optional: `{}` replays the recorded request on a fresh stage. */
export interface ConformanceCase {
  /** Brings the sandbox into the state that `what_was_done` tells of. */
  prepare?: (stage: Stage, transcript: Transcript) => Promise<void> | void;
  /** How the request is made, where the recording left something out. */
  request?: ReplayOptions | ((stage: Stage, transcript: Transcript) => ReplayOptions);
  /** Replaces the replay, for recordings of more than one request. */
  run?: (stage: Stage, transcript: Transcript) => Promise<Replay>;
  /** Replaces replay and comparison, for recordings of another shape; gives the differences. */
  check?: (stage: Stage, transcript: Transcript) => Promise<string[]>;
  compare?: CompareOptions;
  /** The recorded server spoke TLS, and here it matters. */
  tls?: boolean;
}

/** Cases by number. */
export type CaseTable = Readonly<Record<number, ConformanceCase>>;

/** The same case for each of some numbers, space-separated. */
export const numbers = (list: string, each: ConformanceCase): CaseTable =>
  Object.fromEntries(list.split(' ').map((number) => [number, each]));
