/** Private keys written as PEM (RFC 7468): PKCS#8, PKCS#1 and SEC 1. */
import { createPrivateKey, type KeyObject } from 'node:crypto';

import { ProxyError } from '../base/errors.ts';

const PRIVATE_LABELS = new Set(['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY']);
const BEGIN = /-----BEGIN ([A-Z0-9 ]{1,64})-----/g;
/** More than any file of keys and certificates has. */
const MOST_BLOCKS = 100;

/**
 * Reads the first private key of a PEM text. Line ends that an .env file or a form turned into `\n`
 * or blanks are healed.
 *
 * @param label what messages call the key
 */
export function parsePem(text: string, label: string): KeyObject {
  const healed = text.replaceAll(/\\r\\n|\\n|\\r/g, '\n');
  const blocks = findBlocks(healed);
  const block = blocks.find(({ name }) => PRIVATE_LABELS.has(name));
  if (block === undefined) throw refusePem(healed, blocks, label);
  if (block.body.includes('ENCRYPTED')) throw refuseEncrypted(label);
  try {
    return createPrivateKey({ key: wrap(block.name, block.body), format: 'pem' });
  } catch {
    // OpenSSL's own message says nothing that a user could act on.
    throw new ProxyError(
      'key-malformed',
      `${label} is PEM but not a readable "${block.name}": expected unchanged base64 between its first and last line. Copy the whole file again`,
    );
  }
}

/** The blocks in their order. Each end is looked for once, so that a file of beginnings takes no longer. */
function findBlocks(text: string): { name: string; body: string }[] {
  const blocks: { name: string; body: string }[] = [];
  const endless = new Set<string>();
  const begin = new RegExp(BEGIN);
  for (let looked = 0; looked < MOST_BLOCKS; looked += 1) {
    const match = begin.exec(text);
    if (match === null) break;
    const name = match[1] ?? '';
    const end = endless.has(name) ? -1 : text.indexOf(`-----END ${name}-----`, begin.lastIndex);
    if (end === -1) {
      endless.add(name);
      continue;
    }
    blocks.push({ name, body: text.slice(begin.lastIndex, end) });
    begin.lastIndex = end;
  }
  return blocks;
}

/** One PEM block with lines of 64 characters, whatever its white space was. */
function wrap(name: string, body: string): string {
  const lines = body.replaceAll(/\s+/g, '').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${name}-----\n${lines.join('\n')}\n-----END ${name}-----\n`;
}

function refusePem(text: string, blocks: readonly { name: string }[], label: string): ProxyError {
  const names = blocks.map(({ name }) => name);
  if (names.includes('ENCRYPTED PRIVATE KEY')) return refuseEncrypted(label);
  if (names.includes('OPENSSH PRIVATE KEY')) {
    return new ProxyError(
      'key-format-unsupported',
      `${label} is in OpenSSH's own format: expected PKCS#8 or PKCS#1. Convert it in place with: ssh-keygen -p -m PKCS8 -f KEY`,
    );
  }
  const begun = /-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----/.exec(text)?.[1];
  if (begun !== undefined) {
    return new ProxyError(
      'key-truncated',
      `${label} is cut off: it has no line "-----END ${begun}-----". Copy the whole file, or write its line ends as \\n when it stands in an environment variable`,
    );
  }
  const publicName = names.find((name) => /PUBLIC KEY|CERTIFICATE/.test(name));
  if (publicName !== undefined) {
    return new ProxyError(
      'key-public-only',
      `${label} is a "${publicName}": expected the private key. Take the file made together with it`,
    );
  }
  return new ProxyError(
    'key-format-unsupported',
    `${label} holds no private key${names.length > 0 ? ` but "${names.join('", "')}"` : ''}: expected "PRIVATE KEY", "RSA PRIVATE KEY" or "EC PRIVATE KEY"`,
  );
}

function refuseEncrypted(label: string): ProxyError {
  return new ProxyError(
    'key-encrypted',
    `${label} is encrypted with a passphrase: expected a key without one. Decrypt it with: openssl pkey -in KEY.pem -out PLAIN.pem && chmod 600 PLAIN.pem`,
  );
}
