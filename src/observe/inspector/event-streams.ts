import type { IncomingMessage, ServerResponse } from 'node:http';

import { summarise } from '../exchange-view.ts';
import type { Recorder, RecorderChange } from '../recorder.ts';
import { sendError, writeHead } from './answers.ts';

/** What the streams tell. */
export interface EventStreamOptions {
  version: string;
  /** Whether routes can be checked. */
  canCheck: boolean;
  recorder: Recorder;
  overview: () => object;
}

/** Open server-sent event streams (WHATWG HTML, section 9.2). */
export interface EventStreams {
  open: (request: IncomingMessage, response: ServerResponse) => void;
  /** Ends them all. */
  close(): void;
}

/** A page needs one; this many forgotten tabs may stay open. */
const MAX_STREAMS = 20;
const OVERVIEW_EVERY_MS = 2000;
/** A page that does not read loses exchanges; it gets the whole list when it comes back. */
const BACKLOG_BYTES = 4 * 1024 * 1024;

/**
 * Creates the event streams. Each begins with `hello` (version, whether routes can be checked and values are shown) and the
 * kept exchanges; then come `exchanges` (began or ended; `reset` when what came before is void) and,
 * every 2 s, `overview` (tokens, scopes, traffic).
 */
export function createEventStreams({
  version,
  canCheck,
  recorder,
  overview,
}: EventStreamOptions): EventStreams {
  const open = new Set<ServerResponse>();

  return {
    open(_request, response) {
      if (open.size >= MAX_STREAMS) {
        sendError(response, 503, 'too many inspector pages are open: close some of them');
        return;
      }
      open.add(response);
      writeHead(response, 200, ['Content-Type', 'text/event-stream', 'X-Accel-Buffering', 'no']);
      const tell = (event: string, data: object) => {
        if (response.writableLength > BACKLOG_BYTES) return;
        response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
      };
      const tellChange = ({ exchanges, cleared }: RecorderChange) =>
        tell('exchanges', {
          reset: cleared,
          list: exchanges.map((exchange) => summarise(exchange, recorder.showValues)),
        });
      response.write('retry: 2000\n\n');
      tell('hello', { version, canCheck, showValues: recorder.showValues });
      tellChange({ exchanges: recorder.list(), cleared: true });
      tell('overview', overview());
      const leave = recorder.subscribe(tellChange);
      const timer = setInterval(() => tell('overview', overview()), OVERVIEW_EVERY_MS);
      timer.unref();
      response.once('close', () => {
        leave();
        clearInterval(timer);
        open.delete(response);
      });
    },
    close() {
      for (const response of open) response.end();
    },
  };
}
