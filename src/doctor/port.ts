/** Whether the proxy can listen where it is told to. */
import { Agent, request } from 'undici';

import { ConfigError } from '../base/errors.ts';
import { LIVEZ_PATH } from '../base/own-paths.ts';
import { LOOPBACK_ADDRESSES, ownAddress } from '../config/host.ts';
import type { ListenConfig } from '../config/schema.ts';
import { createListener } from '../listen/listener.ts';
import { capitalise } from './explain.ts';
import { fail, type Finding, ok } from './result.ts';

/** Milliseconds that whoever is on the port has for its answer. */
const ANSWER_MS = 2_000;

/** Listens for a moment, as `start` would. */
export async function checkPort(listen: ListenConfig): Promise<Finding> {
  const listener = createListener(
    // Making an authority is for a start; the files of a certificate are judged here as well.
    { ...listen, tls: listen.tls === 'auto' ? undefined : listen.tls },
    (_request, response) => response.destroy(),
    () => {},
  );
  const { socket, host, port } = listen;
  const hosts = (host === undefined ? LOOPBACK_ADDRESSES : [host]).map((each) => `"${each}"`);
  const where =
    socket === undefined ? `port ${port} on ${hosts.join(' and ')}` : `the socket "${socket}"`;
  try {
    await listener.listen();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (await isAnsweredByUs(listen)) return ok(`a fhir-auth-proxy is running on ${where}`);
    const [problem] = error.problems;
    return fail(problem?.message ?? error.message, capitalise(problem?.remedy ?? ''));
  }
  await listener.stop(0);
  return ok(port === 0 && socket === undefined ? 'a free port will be taken' : `${where} is free`);
}

/** Whether what listens there is this program: it says so at a path of its own. */
async function isAnsweredByUs(listen: ListenConfig): Promise<boolean> {
  const { port, socket } = listen;
  // Whether it is alive is all that is asked, and nothing is sent that others may not see.
  const connect = socket === undefined ? { rejectUnauthorized: false } : { socketPath: socket };
  const agent = new Agent({ connect });
  const origin = socket === undefined ? ownAddress(listen, port) : 'http://localhost';
  try {
    const answer = await request(origin + LIVEZ_PATH, {
      dispatcher: agent,
      headersTimeout: ANSWER_MS,
      bodyTimeout: ANSWER_MS,
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    return answer.statusCode === 200 && (await answer.body.text()) === 'alive\n';
  } catch {
    return false;
  } finally {
    await agent.destroy();
  }
}
