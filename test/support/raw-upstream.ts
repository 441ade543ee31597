/** An upstream that answers with exactly the bytes it is given, and tells what it received. */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** A running upstream. */
export interface RawUpstream {
  /** FHIR base URL. */
  url: string;
  /** Everything received so far on all connections, as latin1. */
  received(): string;
  /** Sockets opened so far. */
  sockets: readonly Socket[];
  /** Resolves when a socket closes that was opened as number `index`. */
  closed(index: number): Promise<void>;
}

/**
 * Starts it; closed when the test ends.
 *
 * @param answer called once for each request head that arrives, however long its body is
 */
export async function startRawUpstream(
  t: TestContext,
  answer: (socket: Socket, head: string) => void,
): Promise<RawUpstream> {
  let received = '';
  const sockets: Socket[] = [];
  const closing: Promise<void>[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    closing.push(new Promise((resolve) => socket.once('close', () => resolve())));
    socket.on('error', () => {});
    let pending = '';
    socket.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1');
      received += text;
      pending += text;
      const end = pending.indexOf('\r\n\r\n');
      if (end < 0 || !/^[A-Z]+ \S+ HTTP/.test(pending)) return;
      const head = pending.slice(0, end);
      pending = '';
      answer(socket, head);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/apis/default/fhir`,
    received: () => received,
    sockets,
    closed: (index) => closing[index] ?? Promise.reject(new Error(`no socket ${index}`)),
  };
}
