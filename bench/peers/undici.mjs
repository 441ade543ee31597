/**
 * Node's server and undici's pool with nothing between: the least that a proxy on this stack does.
 * Arguments: port, upstream origin.
 */
import http from 'node:http';

import { Pool } from 'undici';

const [port, target] = process.argv.slice(2);
const REMOVED = new Set(['authorization', 'connection', 'host', 'transfer-encoding']);
const pool = new Pool(target, { connections: 128 });

http
  .createServer((req, res) => {
    const headers = ['authorization', 'Bearer bench'];
    for (let i = 0; i < req.rawHeaders.length; i += 2) {
      const name = req.rawHeaders[i].toLowerCase();
      if (!REMOVED.has(name)) headers.push(name, req.rawHeaders[i + 1]);
    }
    const hasBody = 'content-length' in req.headers || 'transfer-encoding' in req.headers;
    pool.dispatch(
      { path: req.url, method: req.method, headers, body: hasBody ? req : null },
      {
        onConnect(abort) {
          // A client that left while its request was queued reads nothing any more.
          if (res.destroyed) return abort();
          res.on('close', () => {
            if (!res.writableFinished) abort();
          });
        },
        onHeaders(status, raw, resume) {
          res.on('drain', resume);
          res.writeHead(status, keep(raw));
          return true;
        },
        onData: (chunk) => res.write(chunk),
        onComplete: () => res.end(),
        onError: () => res.destroy(),
      },
    );
  })
  .listen(Number(port), '127.0.0.1');

function keep(raw) {
  const fields = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i].toString('latin1');
    if (!/^(?:connection|keep-alive|transfer-encoding)$/i.test(name)) {
      fields.push(name, raw[i + 1].toString('latin1'));
    }
  }
  return fields;
}
