/** How requests are sent: the part of undici's dispatcher that this room uses. */
import type { Dispatcher } from 'undici';

/**
 * What hears of an answer as it comes. undici's first interface, not its second: that one makes an
 * object of all fields for every answer, which nobody here reads and which cost 5 % of a request.
 */
export interface AnswerHandler {
  /** The request is about to be sent; `abort` ends it, which comes back as `onError`. */
  onConnect(abort: (reason: Error) => void): void;
  /**
   * @param own fields that the proxy itself adds to a response that it had in hand; default none
   * @returns false to stop the flow until `resume` is called
   */
  onHeaders(
    status: number,
    fields: readonly (Buffer | string)[],
    resume: () => void,
    phrase: string,
    own?: readonly string[],
  ): boolean;
  /**
   * @param chunk is given away: the handler may change it
   * @returns false to stop the flow until `resume` is called
   */
  onData(chunk: Buffer): boolean;
  onComplete(): void;
  onError(failure: Error): void;
}

/** Sends requests to one upstream. */
export interface Dispatch {
  dispatch(request: Dispatcher.DispatchOptions, handler: AnswerHandler): boolean;
}
