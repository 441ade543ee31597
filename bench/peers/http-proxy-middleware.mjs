/** http-proxy-middleware as its README uses it. Arguments: port, upstream origin. */
import http from 'node:http';

import { createProxyMiddleware } from 'http-proxy-middleware';

const [port, target] = process.argv.slice(2);
const middleware = createProxyMiddleware({
  target,
  changeOrigin: true,
  headers: { authorization: 'Bearer bench' },
});
http
  .createServer((req, res) => {
    void middleware(req, res, () => res.writeHead(404).end());
  })
  .listen(Number(port), '127.0.0.1');
