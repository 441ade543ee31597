/** Mutation operators: each changes one thing of a request, and several may be applied. */
import type { Random } from '../../support/random.ts';
import {
  FIELD_PIECES,
  METHOD_PIECES,
  QUERY_PIECES,
  TARGET_PIECES,
  VERSION_PIECES,
  type RequestParts,
} from './corpus.ts';

/** One input: bytes, sent in so many writes. */
export interface FuzzInput {
  bytes: Buffer;
  /** Where the bytes are cut. */
  cuts: readonly number[];
  /** Names of the operators. */
  operators: readonly string[];
}

type PartsOperator = (parts: RequestParts, random: Random) => void;
type BytesOperator = (text: string, random: Random) => string;

const LONG = 20_000;

const PARTS: Readonly<Record<string, PartsOperator>> = {
  method(parts, random) {
    parts.method = random.pick(METHOD_PIECES);
  },
  target(parts, random) {
    for (let count = 1 + random.below(3); count > 0; count--) {
      const at = random.below(parts.target.length + 1);
      const skip = random.chance(0.3) ? random.below(4) : 0;
      parts.target =
        parts.target.slice(0, at) + random.pick(TARGET_PIECES) + parts.target.slice(at + skip);
    }
  },
  'end of target'(parts, random) {
    parts.target += random.pick(TARGET_PIECES) + random.pick(TARGET_PIECES);
  },
  'absolute form'(parts, random) {
    const scheme = random.pick(['http://', 'https://', 'HTTP://', '//', 'ftp://', 'http:/']);
    parts.target =
      scheme + random.pick(['STRAY', 'localhost', 'evil.example', '127.0.0.1:1']) + parts.target;
  },
  'authority form'(parts, random) {
    parts.target = random.pick(['STRAY', '*', 'localhost:80', '']);
  },
  version(parts, random) {
    parts.version = random.pick(VERSION_PIECES);
  },
  'added field'(parts, random) {
    for (let count = 1 + random.below(3); count > 0; count--) {
      parts.fields.splice(random.below(parts.fields.length + 1), 0, random.pick(FIELD_PIECES));
    }
  },
  'lost field'(parts, random) {
    parts.fields.splice(random.below(parts.fields.length), 1);
  },
  'doubled field'(parts, random) {
    // All of them may have been lost.
    if (parts.fields.length > 0) parts.fields.push(random.pick(parts.fields));
  },
  'many fields'(parts, random) {
    for (let count = random.below(400); count > 0; count--) parts.fields.push(`X-${count}: y`);
  },
  framing(parts, random) {
    parts.framing = random.pick(['none', 'length', 'chunked'] as const);
  },
  'two framings'(parts, random) {
    parts.fields.push(random.pick(['Content-Length: 4', 'Transfer-Encoding: chunked']));
    parts.fields.push(random.pick(['Transfer-Encoding: chunked', 'Content-Length: 40']));
  },
  'request in the body'(parts, random) {
    parts.body = `${random.pick(['', '0\r\n\r\n', '\r\n'])}GET /${random.pick(['fhir', 'read', 'oauth2'])}/Smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    parts.framing = random.pick(['length', 'chunked'] as const);
  },
  query(parts, random) {
    const pieces = Array.from({ length: 1 + random.below(3) }, () => random.pick(QUERY_PIECES));
    parts.target = `${parts.target.split('?')[0]}?${pieces.join(random.pick(['&', '&', '', ';']))}`;
  },
  'form body'(parts, random) {
    const route = random.pick(['/fhir', '/read']);
    parts.method = 'POST';
    parts.target = `${route}/Patient/_search`;
    parts.framing = random.pick(['length', 'chunked'] as const);
    parts.fields.push('Content-Type: application/x-www-form-urlencoded');
    parts.body = `name=x&${random.pick(QUERY_PIECES)}&${random.pick(TARGET_PIECES)}&${random.pick(TARGET_PIECES)}=1`;
  },
  'batch that writes'(parts, random) {
    const method = random.pick(['DELETE', 'PUT', 'GET', 'post', '\\u0050OST']);
    parts.body = `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"${method}","url":"Patient/1"}${random.pick(['', ',"request":{"method":"PUT"}', ',"x":{}'])}}]}`;
  },
  'long body'(parts, random) {
    parts.body = 'x'.repeat(random.below(200_000));
  },
};

const BYTES: Readonly<Record<string, BytesOperator>> = {
  'bit flips'(text, random) {
    const bytes = Buffer.from(text, 'latin1');
    for (let count = 1 + random.below(4); count > 0; count--) {
      const at = random.below(bytes.length);
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << random.below(8)), at);
    }
    return bytes.toString('latin1');
  },
  'cut off': (text, random) => text.slice(0, random.below(text.length)),
  'inserted bytes'(text, random) {
    const at = random.below(text.length + 1);
    return text.slice(0, at) + randomBytes(random, 8) + text.slice(at);
  },
  'bare LF': (text, random) =>
    random.chance(0.5) ? text.replaceAll('\r\n', '\n') : text.replace('\r\n', '\n'),
  'bare CR': (text, random) =>
    random.chance(0.5) ? text.replaceAll('\r\n', '\r') : text.replace('\r\n', '\r'),
  'spoilt chunk': (text, random) =>
    text.replace(/\r\n\r\n([0-9a-f]+)\r\n/, (_, size: string) => {
      const spoilt = [`0x${size}`, `${size};x=y`, ` ${size}`, `${size} `, `-${size}`, 'ffffffff'];
      spoilt.push(`${size}\n`, 'fffffffffffffffff', `0${size}`, `${size};${'x'.repeat(LONG)}`);
      return `\r\n\r\n${random.pick(spoilt)}\r\n`;
    }),
  trailers: (text, random) =>
    text.replace(
      /0\r\n\r\n$/,
      `0\r\n${random.pick(['X: y', 'Authorization: Bearer x', 'Host: evil', 'bad'])}\r\n\r\n`,
    ),
  pipelined: (text) => text + text,
  'pipelined after rest': (text, random) => text + randomBytes(random, 6) + text,
  'leading bytes': (text, random) =>
    random.pick(['\r\n', '\n', '\0', ' ', '\x16\x03\x01', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n']) +
    text,
};

function randomBytes(random: Random, most: number): string {
  let text = '';
  for (let count = 1 + random.below(most); count > 0; count--) {
    text += String.fromCharCode(random.below(256));
  }
  return text;
}

/** Makes one input of a corpus; the choices are those of `random`. @param stray host of STRAY */
export function buildInput(
  corpus: readonly RequestParts[],
  random: Random,
  stray: string,
): FuzzInput {
  if (random.chance(0.05)) {
    const bytes = Buffer.from(randomBytes(random, 400), 'latin1');
    return { bytes, cuts: [], operators: ['random bytes'] };
  }
  const origin = random.pick(corpus);
  const parts = { ...origin, fields: [...origin.fields] };
  const operators: string[] = [];
  for (let count = random.below(4); count > 0; count--) {
    const name = random.pick(Object.keys(PARTS));
    operators.push(name);
    PARTS[name]?.(parts, random);
  }
  let text = formatRequest(parts).replaceAll('STRAY', stray).replaceAll('LONG', 'x'.repeat(LONG));
  for (let count = random.chance(0.4) ? 1 + random.below(2) : 0; count > 0; count--) {
    if (text === '') break;
    const name = random.pick(Object.keys(BYTES));
    operators.push(name);
    text = BYTES[name]?.(text, random) ?? text;
  }
  const cuts = random.chance(0.3) ? [random.below(text.length + 1)] : [];
  return { bytes: Buffer.from(text, 'latin1'), cuts, operators };
}

function formatRequest({ method, target, version, fields, body, framing }: RequestParts): string {
  const all = [...fields];
  if (framing === 'length') all.push(`Content-Length: ${body.length}`);
  if (framing === 'chunked') all.push('Transfer-Encoding: chunked');
  const size = body.length.toString(16);
  const chunks = body === '' ? '0\r\n\r\n' : `${size}\r\n${body}\r\n0\r\n\r\n`;
  const content = framing === 'chunked' ? chunks : framing === 'none' ? '' : body;
  return `${[`${method} ${target} ${version}`, ...all].join('\r\n')}\r\n\r\n${content}`;
}
