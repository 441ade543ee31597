import { loadListen } from '../config/load-listen.ts';
import { localAuthorityFile, makeLocalCertificate } from '../listen/local-authority.ts';
import type { Arguments, Command } from './command.ts';
import { configArguments } from './config-flag.ts';
import { UsageError } from './usage-error.ts';

const certificateArguments = {
  ...configArguments,
  json: { type: 'boolean', default: false, describe: 'Print the path alone, as JSON' },
} satisfies Arguments;

/** Says how programs and browsers come to trust the authority of `listen.tls: "auto"`. */
export const certificateCommand: Command<typeof certificateArguments> = {
  purpose:
    'Shows the local certificate authority of "listen.tls": "auto", which is made when it is not there, and what to type so that curl, Node, Python or a browser trusts it. It changes no trust store itself.',
  examples: [
    {
      task: 'See how to trust it',
      command: 'FHIR_AUTH_PROXY_LISTEN_TLS=auto fhir-auth-proxy certificate',
    },
    {
      task: 'Ask with curl',
      command:
        'curl --cacert "$(fhir-auth-proxy certificate --json | jq -r .authority)" https://localhost:8088/fhir/Patient',
    },
  ],
  arguments: certificateArguments,
  async run({ config: file, json }, { environment, cwd, stdout }) {
    const { listen, error } = await loadListen({ file, environment, cwd });
    if (error !== undefined) throw error;
    if (listen.tls !== 'auto') {
      throw new UsageError(
        '"listen.tls" is not "auto", so there is no local authority to trust',
        'Set "listen": { "tls": "auto" } in the config file, or FHIR_AUTH_PROXY_LISTEN_TLS=auto',
      );
    }
    await makeLocalCertificate(listen);
    const authority = localAuthorityFile(listen);
    // Without a home nothing could have been made.
    if (authority === undefined) return;
    if (json) {
      stdout.writeJson({ authority }, 2);
      return;
    }
    const path = shellWord(authority);
    const lines: readonly (readonly [string, string])[] = [
      ['curl', `curl --cacert ${path} https://localhost:${listen.port}/fhir/metadata`],
      ['Node', `export NODE_EXTRA_CA_CERTS=${path}`],
      ['Python (requests)', `export REQUESTS_CA_BUNDLE=${path}`],
      [
        'Chrome on Linux',
        `certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n fhir-auth-proxy -i ${path}`,
      ],
      [
        'Debian, Ubuntu',
        `sudo cp ${path} /usr/local/share/ca-certificates/fhir-auth-proxy.crt && sudo update-ca-certificates`,
      ],
      ['Fedora', `sudo trust anchor ${path}`],
      [
        'macOS',
        `security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db ${path}`,
      ],
      ['Windows', `certutil -user -addstore Root "${authority}"`],
      ['Firefox', 'Settings > Privacy & Security > View Certificates > Authorities > Import'],
    ];
    stdout.write(`local certificate authority: ${authority}\n`);
    stdout.write('it signs for this machine and the configured names alone. To trust it:\n\n');
    for (const [what, command] of lines) stdout.write(`  ${what.padEnd(18)}${command}\n`);
  },
};

/** A path as a POSIX shell takes it. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text)
    ? text
    : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
