import assert from 'node:assert/strict';
import { Writable } from 'node:stream';

/** Watches what a server writes, so that a test can say that none of it is secret. */
export interface SecretWatch {
  /** Log into this. */
  readonly stream: Writable;
  /** Whole lines written to `stream` so far. */
  lines(): string[];
  /** Everything written to `stream` so far. */
  text(): string;
  /** Forgets the lines and bodies so far; the secrets stay. */
  clear(): void;
  /** From now on this value may appear nowhere: a token, an assertion, a key, an id. */
  addSecret(...values: string[]): void;
  /** Looks at this text too: a response body, a page, a metric. */
  addBody(text: string): void;
  /** Fails when a secret, or anything shaped like a JWT or a private key, was seen. */
  assertNone(): void;
}

/** What no output may hold, whether a test knows its value or not. */
const SHAPES: readonly (readonly [string, RegExp])[] = [
  ['a JWT', /\beyJ[\w-]{8,}\.[\w-]+/],
  ['a bearer token', /\bBearer\s+(?!…|\[)[\w.~+/=-]{12,}/i],
  ['a PEM private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ['a private JWK', /"(?:d|p|q|dp|dq|qi)"\s*:\s*"[\w-]{16,}"/],
  ['a client assertion', /client_assertion=(?!\[)[^\s&]{12,}/],
];

/** Creates a {@link SecretWatch}. */
export function createSecretWatch(): SecretWatch {
  let log = '';
  let bodies: string[] = [];
  const secrets = new Set<string>();
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      log += chunk.toString();
      done();
    },
  });

  function assertClean(where: string, text: string): void {
    for (const secret of secrets) {
      // Signatures and claims are secrets too, wherever a token is cut into its parts.
      const parts = secret.startsWith('eyJ') ? secret.split('.').filter((p) => p.length > 8) : [];
      for (const part of [secret, ...parts]) {
        const at = text.indexOf(part);
        assert.equal(at, -1, `${where} holds a secret: …${around(text, at, part)}…`);
      }
    }
    for (const [name, shape] of SHAPES) {
      const at = text.search(shape);
      assert.equal(at, -1, `${where} holds ${name}: …${around(text, at, '')}…`);
    }
  }

  return {
    stream,
    lines: () => log.split('\n').slice(0, -1),
    text: () => log,
    clear() {
      log = '';
      bodies = [];
    },
    addSecret(...values) {
      for (const value of values) {
        assert.ok(value.length >= 6, `"${value}" is too short to be looked for`);
        secrets.add(value);
      }
    },
    addBody(text) {
      bodies.push(text);
    },
    assertNone() {
      assertClean('the log', log);
      bodies.forEach((body, index) => assertClean(`body ${index + 1}`, body));
    },
  };
}

function around(text: string, at: number, found: string): string {
  return text.slice(Math.max(0, at - 60), at + Math.max(found.length, 20));
}
