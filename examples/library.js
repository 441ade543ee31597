/**
 * The proxy inside a script: starts one on a free port, asks it, and stops it.
 *
 *     node examples/library.js
 *
 * Here the embedded sandbox answers. For a real server, give a route's "upstream" and "client"
 * instead, or read them from a file: `const { config } = await loadConfig({ cwd: process.cwd() })`.
 * Where `await using` is known (TypeScript, Node 24), it stops the proxy by itself.
 */
import { createProxy } from 'fhir-auth-proxy';

const proxy = await createProxy(
  {
    listen: { port: 0 },
    routes: [{ path: '/fhir', upstream: 'sandbox' }],
  },
  {
    onExchange({ status, interaction, timings }) {
      console.log(`${status} ${interaction?.label} in ${Math.round(timings.totalMs)} ms`);
    },
  },
);
try {
  const answer = await fetch(`${proxy.url}/fhir/Patient?_count=3`);
  const bundle = await answer.json();
  for (const { resource } of bundle.entry) {
    const [name] = resource.name;
    console.log(`${name.family}, ${name.given.join(' ')}`);
  }
} finally {
  await proxy.close();
}
