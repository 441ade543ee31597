import { randomBytes } from 'node:crypto';
import { createReadStream, readFileSync, statSync } from 'node:fs';
/**
 * A FHIR server of sorts with its token endpoint: what the benchmark needs where nginx is missing,
 * or where tokens must really die and bodies must really be read. A child process: the first
 * message sets it up, `stats` asks for its counters.
 */
import http from 'node:http';

const FHIR = '/apis/default/fhir';
/** Bytes from which a file is read while it is sent. */
const LARGE = 8 * 2 ** 20;

process.once('message', ({ files, port, tokenLifeSeconds, tokenDelayMs }) => {
  const answers = new Map(
    Object.entries(files).map(([path, { file, type }]) => {
      const { size } = statSync(file);
      const body = size > LARGE ? undefined : readFileSync(file);
      return [FHIR + path, { file, size, body, type }];
    }),
  );
  /** Token -> when it dies, in milliseconds. */
  const tokens = new Map();
  const counters = { requests: 0, refused: 0, received: 0, tokenRequests: [] };

  const server = http.createServer((req, res) => {
    const path = req.url.split('?', 1)[0];
    if (path === '/oauth2/default/token') return grantToken(req, res);
    if (path === `${FHIR}/.well-known/smart-configuration`) {
      const origin = `http://${req.headers.host}`;
      return sendJson(res, 200, { token_endpoint: `${origin}/oauth2/default/token` });
    }
    if (path === `${FHIR}/metadata`) {
      return sendJson(res, 200, { resourceType: 'CapabilityStatement', status: 'active' });
    }
    counters.requests += 1;
    const token = req.headers.authorization?.slice('Bearer '.length);
    if (token !== 'bench' && !(tokens.get(token) > Date.now())) {
      counters.refused += 1;
      req.resume();
      return res.writeHead(401).end();
    }
    if (req.method === 'POST') return receive(req, res);
    const answer = answers.get(path);
    if (answer === undefined) return res.writeHead(404).end();
    res.writeHead(200, { 'content-type': answer.type, 'content-length': answer.size });
    if (answer.body !== undefined) return res.end(answer.body);
    createReadStream(answer.file, { highWaterMark: 2 ** 18 }).pipe(res);
  });
  server.keepAliveTimeout = 60_000;

  function grantToken(req, res) {
    const record = { atMs: Date.now(), answeredAtMs: 0 };
    counters.tokenRequests.push(record);
    req.resume().on('end', () => {
      setTimeout(() => {
        const token = randomBytes(32).toString('base64url');
        record.answeredAtMs = Date.now();
        tokens.set(token, record.answeredAtMs + tokenLifeSeconds * 1000);
        sendJson(res, 200, {
          access_token: token,
          token_type: 'Bearer',
          expires_in: tokenLifeSeconds,
          scope: 'system/Patient.read system/Observation.read',
        });
      }, tokenDelayMs);
    });
  }

  function receive(req, res) {
    let bytes = 0;
    req.on('data', (chunk) => (bytes += chunk.length));
    req.on('end', () => {
      counters.received += bytes;
      sendJson(res, 201, { resourceType: 'OperationOutcome', bytes });
    });
  }

  process.on('message', (message) => {
    if (message === 'stats') process.send(counters);
  });
  server.listen(port, '127.0.0.1', () => process.send({ port: server.address().port }));
});
process.on('disconnect', () => process.exit());

function sendJson(res, status, value) {
  const body = JSON.stringify(value);
  res.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  res.end(body);
}
