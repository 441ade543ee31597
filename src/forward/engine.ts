/**
 * The forwarding engine: http-proxy runs its chain of passes, of which ours comes first and ends
 * the chain. Its own passes that rewrite lengths, add `X-Forwarded-*` and talk to the upstream are
 * unsafe for a gateway that holds a credential (request smuggling, leaked upstream requests,
 * crashes on legal requests), so none of them runs. The only file that imports http-proxy.
 */
import { createProxyServer, type ServerOptions } from 'http-proxy';

import type { ForwardJob } from './job.ts';
import type { Transport } from './transport.ts';

/** Sends a job through the chain of passes. */
export type Engine = (job: ForwardJob) => void;

/** What the chain carries to our pass: http-proxy hands every pass the options of the call. */
interface PassOptions extends ServerOptions {
  job: ForwardJob;
}

/**
 * @param upstream FHIR base; a URL object, so that http-proxy does not parse it for every request
 * @param transport the pass that talks to the upstream
 */
export function createEngine(upstream: URL, transport: Transport): Engine {
  const proxy = createProxyServer({ target: upstream });
  proxy.before('web', 'deleteLength', (_request, _response, options) => {
    transport((options as unknown as PassOptions).job);
    return true;
  });
  return (job) => {
    proxy.web(job.request, job.response, { job } as PassOptions);
  };
}
