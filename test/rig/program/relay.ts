/**
 * A TCP relay between the proxy and a server: passes bytes, tells what it saw, and breaks on demand
 * in ways that no HTTP server can.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What the relay does with connections. `reset`: at once; `hang`: takes everything, answers nothing. */
export type RelayMode = 'pass' | 'reset' | 'hang';

/** Sees what passes. */
export interface RelayWatch {
  /** Bytes from the proxy; one function a connection. */
  connected?(): (chunk: Buffer) => void;
  /** Bytes from the server; one function a connection. */
  answered?(): (chunk: Buffer) => void;
}

/** A relay that listens. */
export interface Relay {
  /** Such as `http://127.0.0.1:41234`. */
  readonly origin: string;
  /** Where connections lead from now on. */
  lead(port: number): void;
  /** From now on; whatever passes now is broken off when it changes. */
  setMode(mode: RelayMode): void;
  /** Open connections of the proxy. */
  open(): number;
  /** Connections taken so far. */
  taken(): number;
  close(): void;
}

/** Starts a relay on a free port of loopback. */
export async function startRelay(watch: RelayWatch = {}): Promise<Relay> {
  let mode: RelayMode = 'pass';
  let target = 0;
  let taken = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    taken += 1;
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const saw = watch.connected?.();
    socket.on('data', (chunk) => saw?.(chunk));
    if (mode === 'reset') reset(socket);
    else if (mode === 'pass') pass(socket, target, watch);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lead: (port) => void (target = port),
    setMode(next) {
      if (next === mode) return;
      mode = next;
      for (const socket of sockets) reset(socket);
    },
    open: () => sockets.size,
    taken: () => taken,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** A socket that is destroyed already would be held for ever by a second reset. */
function reset(socket: Socket): void {
  if (!socket.destroyed) socket.resetAndDestroy();
}

function pass(socket: Socket, port: number, watch: RelayWatch): void {
  const onward = connect(port, '127.0.0.1');
  onward.setNoDelay(true);
  const saw = watch.answered?.();
  onward.on('data', (chunk: Buffer) => saw?.(chunk));
  onward.on('error', () => reset(socket));
  onward.on('close', (failed) => (failed ? reset(socket) : socket.destroySoon()));
  socket.on('close', () => onward.destroy());
  socket.pipe(onward);
  onward.pipe(socket);
}
