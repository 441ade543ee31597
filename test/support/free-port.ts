import { type AddressInfo, createServer as createTcpServer } from 'node:net';

/** A port of 127.0.0.1 that was free a moment ago, for what must know it before it listens. */
export async function findFreePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
