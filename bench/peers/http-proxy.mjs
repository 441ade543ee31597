/**
 * http-proxy and http-proxy-3 as their READMEs use them.
 * Arguments: port, upstream origin, package, `keep-alive` or `default-agent`.
 */
import http from 'node:http';

const [port, target, name, agentKind] = process.argv.slice(2);
const { default: httpProxy, createProxyServer } = await import(name);
const agent =
  agentKind === 'keep-alive' ? new http.Agent({ keepAlive: true, maxSockets: 128 }) : undefined;
const proxy = (createProxyServer ?? httpProxy.createProxyServer)({
  target,
  changeOrigin: true,
  agent,
  headers: { authorization: 'Bearer bench' },
});
proxy.on('error', (_error, _req, res) => {
  if (!res.headersSent) res.writeHead?.(502);
  res.end();
});
http.createServer((req, res) => proxy.web(req, res)).listen(Number(port), '127.0.0.1');
