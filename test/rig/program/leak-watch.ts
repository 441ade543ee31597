/** Looks for credentials in everything that leaves the proxy, but for what goes to its upstream. */

/** Where something was found that must not be there. */
export interface Leak {
  where: string;
  what: string;
  /** What stands around it; the secret itself is cut out. */
  around: string;
}

/** Watches for secrets. */
export interface LeakWatch {
  /** From now on this text must appear nowhere. The newest 64 are looked for. */
  addSecret(value: string): void;
  /** A function that is given the chunks of one stream in order. */
  open(where: string): (chunk: Buffer) => void;
  readonly leaks: readonly Leak[];
  /** Bytes looked at. */
  bytes(): number;
}

/** Longest secret that is found across the border of two chunks, in bytes. */
const OVERLAP_BYTES = 512;
const MOST_SECRETS = 64;
const MOST_LEAKS = 20;
/** Tokens and client assertions alike, whether this watch was told of them or not. */
const JWT = /eyJ[\w-]{8,}\.[\w-]+/;
const JWT_START = Buffer.from('eyJ');

/** Creates a {@link LeakWatch}. */
export function createLeakWatch(): LeakWatch {
  const secrets = new Set<string>();
  const leaks: Leak[] = [];
  let bytes = 0;

  const report = (where: string, what: string, text: string, at: number, length: number): void => {
    if (leaks.length >= MOST_LEAKS) return;
    const around = `${text.slice(Math.max(0, at - 80), at)}[…]${text.slice(at + length, at + length + 40)}`;
    leaks.push({ where, what, around });
  };
  const look = (where: string, window: Buffer): void => {
    const text = window.toString('latin1');
    for (const secret of secrets) {
      const at = text.indexOf(secret);
      if (at >= 0) report(where, 'a secret', text, at, secret.length);
    }
    if (window.indexOf(JWT_START) < 0) return;
    const match = JWT.exec(text);
    if (match !== null) report(where, 'a JWT', text, match.index, match[0].length);
  };

  return {
    leaks,
    bytes: () => bytes,
    addSecret(value) {
      // Its signature too, which tells it from others of its kind.
      for (const part of [value, value.split('.')[2] ?? '']) if (part.length > 8) secrets.add(part);
      for (const oldest of secrets) {
        if (secrets.size <= MOST_SECRETS) break;
        secrets.delete(oldest);
      }
    },
    open(where) {
      let tail: Buffer = Buffer.alloc(0);
      return (chunk) => {
        bytes += chunk.length;
        const window = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
        look(where, window);
        tail = Buffer.from(window.subarray(Math.max(0, window.length - OVERLAP_BYTES)));
      };
    },
  };
}
