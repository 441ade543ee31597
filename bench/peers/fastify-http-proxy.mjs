/** @fastify/http-proxy as its README uses it. Arguments: port, upstream origin. */
import httpProxy from '@fastify/http-proxy';
import fastify from 'fastify';

const [port, target] = process.argv.slice(2);
const app = fastify({ bodyLimit: 2 ** 40 });
await app.register(httpProxy, {
  upstream: target,
  replyOptions: {
    rewriteRequestHeaders: (_request, headers) => ({ ...headers, authorization: 'Bearer bench' }),
  },
});
await app.listen({ port: Number(port), host: '127.0.0.1' });
