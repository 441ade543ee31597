/** The signing key: who can read its file, what kind it is, how long. */
import { readKeyText } from '../auth/key-file.ts';
import { loadSigningKey } from '../auth/signing-key.ts';
import type { RouteCheck } from './check.ts';
import { type Finding, ok, warn } from './result.ts';

/** Judges the key that signs the client assertions. */
export const keyCheck: RouteCheck = {
  name: 'key',
  needs: [],
  async run({ config, destination, facts }) {
    const { client } = destination;
    const { text, warnings } = await readKeyText(client.key);
    const name = text === client.key ? undefined : client.key;
    const key = await loadSigningKey(text, { keyId: client.keyId, name });
    facts.key = key;
    const what = key.bits === undefined ? 'EC key on P-384' : `RSA key of ${key.bits} bits`;
    const where =
      config.client === undefined
        ? ', made by the sandbox'
        : text === client.key
          ? ', given in the configuration itself'
          : ', readable by its owner only';
    const findings: Finding[] = warnings.map((warning) =>
      warn(warning, 'Mount it with mode 0400 or 0600, if you can'),
    );
    if (key.alg !== 'RS384') {
      findings.push(
        warn(
          `${what}: signs ${key.alg}, and OpenEMR accepts RS384 only`,
          'Make an RSA key with "fhir-auth-proxy key generate" if the server is OpenEMR',
        ),
      );
    }
    return findings.length > 0 ? findings : [ok(`${what}, signs ${key.alg}${where}`)];
  },
};
