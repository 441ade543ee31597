/**
 * The forwarding engine: http-proxy runs its chain of passes, of which ours comes first and ends
 * the chain. Its own passes that rewrite lengths, add `X-Forwarded-*` and talk to the upstream are
 * unsafe for a gateway that holds a credential (request smuggling, leaked upstream requests,
 * crashes on legal requests), so none of them runs. The only file that imports http-proxy.
 */
import { createProxyServer } from 'http-proxy';

import type { ForwardJob } from './job.ts';
import type { Transport } from './transport.ts';

/** Sends a job through the chain of passes. */
export type Engine = (job: ForwardJob) => void;

/**
 * @param upstream FHIR base; a URL object, so that http-proxy does not parse it for every request
 * @param transport the pass that talks to the upstream
 */
export function createEngine(upstream: URL, transport: Transport): Engine {
  const jobs = new WeakMap<object, ForwardJob>();
  const proxy = createProxyServer({ target: upstream });
  proxy.before('web', 'deleteLength', (request) => {
    const job = jobs.get(request);
    if (job === undefined) throw new Error('a request reached the engine without a job');
    transport(job);
    return true;
  });
  return (job) => {
    jobs.set(job.request, job);
    proxy.web(job.request, job.response, {});
  };
}
