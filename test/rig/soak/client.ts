/** One request of the load, with a client that may be rude. */
import { type Agent, request, type IncomingMessage } from 'node:http';

import type { World } from '../program/world.ts';

/** What a client does. */
export interface Call {
  path: string;
  method?: string;
  type?: string;
  body?: Buffer;
  /** Bytes of the body after which the client goes away. */
  leavesAfterBytes?: number;
  /** Bytes of the answer after which the client goes away. */
  readsBytes?: number;
  /** Milliseconds of a pause after each chunk of the answer. */
  pauseMs?: number;
  /** Statuses that are right when nothing is broken. */
  expected: readonly number[];
}

/** What came of it. `status` 0: no answer. */
export interface CallEnd {
  status: number;
  /** Code of a failed connection, `cut` when an answer broke off, `left` when the client did. */
  error?: string;
}

/** Nobody waits longer. */
const PATIENCE_MS = 20_000;
const PIECE_BYTES = 16_384;

/** Makes the call over the agent. */
export function callProxy(
  call: Call,
  agent: Agent,
  { program, apiKey, leaks }: World,
): Promise<CallEnd> {
  const { path, method = 'GET', body, type, leavesAfterBytes } = call;
  return new Promise((resolve) => {
    let left = false;
    const headers: Record<string, string> = {
      'X-API-Key': apiKey,
      Accept: 'application/fhir+json',
    };
    if (type !== undefined) headers['Content-Type'] = type;
    if (body !== undefined) headers['Content-Length'] = String(body.length);
    const outgoing = request({
      host: '127.0.0.1',
      port: program.port,
      path,
      method,
      headers,
      agent,
    });
    const timer = setTimeout(() => {
      settle({ status: 0, error: 'no answer in time' });
      outgoing.destroy();
    }, PATIENCE_MS);
    const settle = (end: CallEnd): void => {
      clearTimeout(timer);
      resolve(end);
    };
    const leave = (): void => {
      left = true;
      outgoing.destroy();
    };
    outgoing.on('response', (answer) => {
      const saw = leaks.open(`the answer to ${method} ${path}`);
      saw(Buffer.from(answer.rawHeaders.join('\n')));
      const { statusCode: status = 0 } = answer;
      readAnswer(answer, call, saw, leave).then(
        () => settle({ status }),
        () => settle({ status, error: left ? 'left' : 'cut' }),
      );
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) =>
      settle({ status: 0, error: left ? 'left' : (error.code ?? 'error') }),
    );
    if (body === undefined) outgoing.end();
    else if (leavesAfterBytes === undefined) outgoing.end(body);
    else outgoing.write(body.subarray(0, leavesAfterBytes), () => setTimeout(leave, 5));
  });
}

async function readAnswer(
  answer: IncomingMessage,
  { readsBytes = Infinity, pauseMs = 0 }: Call,
  saw: (chunk: Buffer) => void,
  leave: () => void,
): Promise<void> {
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    saw(chunk);
    bytes += chunk.length;
    if (bytes >= readsBytes) leave();
    if (pauseMs > 0 && bytes % PIECE_BYTES < chunk.length) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
  if (!answer.complete) throw new Error('cut');
}
