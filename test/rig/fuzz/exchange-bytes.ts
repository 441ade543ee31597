/** Sends an input over a connection of its own and takes what comes back. */
import { connect } from 'node:net';

import type { FuzzInput } from './mutate.ts';

/** What came back. */
export interface BytesBack {
  /** Statuses of the answers, in order; interim ones included. */
  statuses: readonly number[];
  /** First bytes, latin1, when they are no answer at all. */
  strange?: string;
  /** Whether the connection was refused. */
  refused: boolean;
}

/** An answer is taken for whole when nothing has come for so long. */
const QUIET_MS = 25;
/** An input may be half a request: nothing is waited for longer than this. */
const PATIENCE_MS = 120;
/** A client that ends its side must be let go of. */
const END_MS = 600;
const STATUS_LINE = /(?:^|\r\n|[}\n>])HTTP\/1\.1 (\d{3}) /g;

/** @param onData sees the bytes that come back */
export function exchangeBytes(
  input: FuzzInput,
  port: number,
  onData: (chunk: Buffer) => void,
): Promise<BytesBack> {
  return new Promise((resolve) => {
    let received = '';
    let refused = false;
    let ending = false;
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    const onTimer = (): void => {
      if (ending || received !== '') {
        socket.destroy();
        return;
      }
      ending = true;
      socket.end();
      timer = setTimeout(onTimer, END_MS);
    };
    let timer = setTimeout(onTimer, PATIENCE_MS);
    socket.on('connect', () => {
      const [cut = 0] = input.cuts;
      if (cut > 0) {
        socket.write(input.bytes.subarray(0, cut));
        setImmediate(() => socket.write(input.bytes.subarray(cut)));
      } else socket.write(input.bytes);
    });
    socket.on('data', (chunk) => {
      onData(chunk);
      if (received.length < 65_536) received += chunk.toString('latin1');
      clearTimeout(timer);
      timer = setTimeout(onTimer, QUIET_MS);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      refused = error.code === 'ECONNREFUSED';
    });
    socket.on('close', () => {
      clearTimeout(timer);
      const statuses = [...received.matchAll(STATUS_LINE)].map(([, status]) => Number(status));
      const isAnswer = received === '' || /^HTTP\/1\.1 \d{3} /.test(received);
      resolve({ statuses, refused, ...(isAnswer ? {} : { strange: received.slice(0, 200) }) });
    });
  });
}
