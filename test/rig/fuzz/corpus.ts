/** Valid requests that mutations start from, and the pieces that they put in. */

/** A request in parts, so that each can be changed by itself. */
export interface RequestParts {
  method: string;
  target: string;
  version: string;
  fields: string[];
  body: string;
  /** How the body is announced. */
  framing: 'none' | 'length' | 'chunked';
}

/** What a corpus is made with. */
export interface CorpusPlaces {
  port: number;
  apiKey: string;
  /** Origin where nobody may be sent. */
  strayOrigin: string;
  patientId: string;
}

const FORM = 'Content-Type: application/x-www-form-urlencoded';
const FHIR = 'Content-Type: application/fhir+json';

/** Valid requests of every kind. */
export function buildCorpus({ port, apiKey, patientId }: CorpusPlaces): readonly RequestParts[] {
  const host = `Host: localhost:${port}`;
  const key = `X-API-Key: ${apiKey}`;
  const get = (target: string, ...fields: string[]): RequestParts => ({
    method: 'GET',
    target,
    version: 'HTTP/1.1',
    fields: [host, key, ...fields],
    body: '',
    framing: 'none',
  });
  const send = (
    method: string,
    target: string,
    type: string,
    body: string,
    framing: RequestParts['framing'] = 'length',
  ): RequestParts => ({ ...get(target, type), method, body, framing });
  const batch =
    '{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient"}}]}';
  const patient = `{"resourceType":"Patient","id":"${patientId}","gender":"female"}`;
  const perRoute = ['/fhir', '/read'].flatMap((route) => [
    get(`${route}/Patient/${patientId}`),
    get(`${route}/Patient?name=Chen&_count=2`, 'Accept: application/fhir+json'),
    get(`${route}/metadata`),
    get(`${route}/Observation?patient=${patientId}&_count=1`, 'Origin: http://localhost:3000'),
    { ...get(`${route}/Patient/${patientId}`), method: 'HEAD' },
    {
      ...get(
        `${route}/Patient`,
        'Origin: http://localhost:3000',
        'Access-Control-Request-Method: GET',
      ),
      method: 'OPTIONS',
    },
    send('POST', `${route}/Patient/_search`, FORM, 'name=Chen&_count=1'),
    send('POST', `${route}/Patient/_search`, FORM, 'name=Chen', 'chunked'),
    send('POST', `${route}/`, FHIR, batch),
    send('POST', `${route}/Patient`, FHIR, patient, 'chunked'),
    send('PUT', `${route}/Patient/${patientId}`, FHIR, patient),
    { ...get(`${route}/Patient/${patientId}`), method: 'DELETE' },
  ]);
  return [
    ...perRoute,
    get('/_proxy/livez'),
    get('/_proxy/metrics'),
    get('/_proxy/exchanges'),
    get('/_proxy/overview'),
    get('/_proxy/'),
    get('/.well-known/jwks.json'),
  ];
}

/** Pieces of targets, those of attacks among them. */
export const TARGET_PIECES: readonly string[] = [
  '/ // . .. %2e %2E%2e %252e %2f %252f \\ %5c ; %3b ? %3f # %23 & %26 = %00 %0d%0a %09 %c0%ae % %2',
  '/../ /..;/ /%2e%2e/ ..%2f /./ \\..\\ /fhir /read /_proxy /apis /oauth2/default/token',
  'Patient Encounter $export _search _history @ : | [ ] * ~ " < > ` { }',
].flatMap((line) => line.split(' '));

/** Pieces of queries and forms. */
export const QUERY_PIECES: readonly string[] = [
  '_REWRITE_COMMAND=x _REWRITE.COMMAND=x _REWRITE[COMMAND=x %5fREWRITE_COMMAND=x _REWRITE+COMMAND[]=x',
  '_REWRITE%5bCOMMAND=x +_REWRITE_COMMAND=x _REWRITE_COMMAND%00y=x _REWRITE_COMMAND[x]=y name=Chen',
  '_count=1 _id=x name:exact=y a[b][c]=d %=% =x && _REWRITE_COMMAN=x REWRITE_COMMAND=x _include=*',
].flatMap((line) => line.split(' '));

/** Fields that are put in. `STRAY` stands for the host where nobody may be sent. */
export const FIELD_PIECES: readonly string[] = [
  'Host: STRAY',
  'Host: evil.example',
  'Host: localhost@evil.example',
  'Host: localhost.',
  'Host:',
  'host : localhost',
  'Origin: null',
  'Origin: https://evil.example',
  'Origin: http://localhost:1',
  'Sec-Fetch-Site: cross-site',
  'Sec-Fetch-Site: same-site',
  'Sec-Fetch-Site: same-origin',
  'Sec-Fetch-Site: none',
  'Sec-Fetch-Mode: no-cors',
  'Sec-Fetch-Dest: image',
  'Content-Length: 0',
  'Content-Length: 5',
  'Content-Length: +5',
  'Content-Length: 5, 5',
  'Content-Length: 0x5',
  'Content-Length: 99999999999999999999',
  'Content-Length : 5',
  'Content-Length:\t5',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding:\x0bchunked',
  'Transfer-Encoding: identity',
  'transfer-encoding: CHUNKED',
  'Connection: Authorization',
  'Connection: close, Host, X-API-Key',
  'Connection: keep-alive',
  'Connection: upgrade',
  'Connection: Upgrade\r\nUpgrade: h2c',
  'Upgrade: h2c',
  'Upgrade: websocket',
  'HTTP2-Settings: AAMAAABkAAQAAP__',
  'TE: trailers',
  'Trailer: Authorization',
  'Expect: 100-continue',
  'Expect: 200-ok',
  'Keep-Alive: timeout=5',
  'Proxy-Authorization: Basic eDp5',
  'Proxy-Connection: keep-alive',
  'Cookie: OpenEMR=1',
  'Authorization: Bearer of-my-own',
  'Authorization: Basic eDp5',
  'X-API-Key: wrong',
  'X-HTTP-Method-Override: DELETE',
  'X-HTTP-Method: PUT',
  'X-Method-Override: PATCH',
  'X-Forwarded-Host: STRAY',
  'X-Forwarded-For: 10.0.0.1',
  'Forwarded: host=STRAY;proto=https',
  'X-Original-URL: /oauth2/default/token',
  'X-Rewrite-URL: /apis/default/api/patient',
  'Via: 1.1 other',
  'Range: bytes=0-1',
  'If-None-Match: "x"',
  'Accept-Encoding: gzip, br',
  'Content-Encoding: gzip',
  'Content-Type: multipart/form-data; boundary=x',
  'Content-Type: application/x-www-form-urlencoded',
  'Content-Type: text/plain',
  'Max-Forwards: 0',
  'Referer: http://STRAY/',
  'Access-Control-Request-Private-Network: true',
  'Access-Control-Request-Method: DELETE',
  'X',
  ': x',
  'X:\x00y',
  'X: a\rb',
  'X: a\nY: b',
  ' folded',
  '\tX: y',
  'X-Long: LONG',
  'Sec-WebSocket-Key: x',
  'X-\xe9: y',
  'X: \xff\xfe',
];

/** Methods, most of them none of ours. */
export const METHOD_PIECES: readonly string[] = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'PROPFIND',
  'SEARCH',
  'get',
  'GE',
  'GETT',
  'LINK',
  'PURGE',
  'M-SEARCH',
  'QUERY',
  '',
  'G\xc9T',
  'PRI',
  'SOURCE',
];

/** Protocol versions. */
export const VERSION_PIECES: readonly string[] = [
  'HTTP/1.0',
  'HTTP/1.1',
  'HTTP/0.9',
  'HTTP/2.0',
  'HTTP/1.2',
  'HTTP/1.1 ',
  'http/1.1',
  '',
  'RTSP/1.0',
  'HTTP/11',
  'ICE/1.0',
];
