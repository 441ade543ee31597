/** The TLS connection, and the certificate that the server shows. */
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, type ConnectionOptions } from 'node:tls';

import { Agent, type buildConnector } from 'undici';

import { parseNetworkFailure } from '../auth/network-failure.ts';
import { isLoopbackHost, withoutBrackets } from '../config/host.ts';
import { loadTlsOptions } from '../config/tls.ts';
import type { RouteCheck } from './check.ts';
import { nameIn } from './distinguished-name.ts';
import { explainNetwork, failNetwork } from './explain.ts';
import { addressOf } from './network.ts';
import { fail, type Finding, ok, warn } from './result.ts';
import type { Subject } from './subject.ts';
import { trustFix } from './trust-fix.ts';

const DAY_MS = 86_400_000;
/** A certificate that ends within this time is worth a word. */
const SOON_MS = 14 * DAY_MS;

/** Shakes hands as the proxy would, and shows issuer, names and end of the certificate. */
export const tlsCheck: RouteCheck = {
  name: 'tls',
  needs: ['tls-files', 'tcp'],
  async run(subject) {
    const { base, config } = subject;
    const options = await loadTlsOptions(config.tls, `routes["${config.path}"].tls`);
    replaceAgent(subject, options);
    if (base.protocol === 'http:') return [judgePlain(base)];
    let shown: Shown;
    try {
      shown = await shakeHands(base, options, config.timeouts.connectMs);
    } catch (error) {
      return [failNetwork(subject, 'no TLS connection', error)];
    }
    const { problem, certificate } = shown;
    if (problem === undefined) return [...judgeTrusted(certificate, subject)];
    if (config.tls.insecure) {
      return [
        warn(
          `any certificate is accepted ("tls.insecure"); this one would be refused: ${describe(certificate)}`,
          await trustFix(base, certificate),
        ),
      ];
    }
    // What anyone may read is read all the same, so that one look shows more than one problem.
    replaceAgent(subject, { ...options, rejectUnauthorized: false });
    return [await judgeRefused(subject, problem, certificate)];
  },
};

interface Shown {
  /** Code of the reason not to trust it. */
  problem: string | undefined;
  certificate: X509Certificate | undefined;
}

function replaceAgent(subject: Subject, options: ConnectionOptions): void {
  void subject.open.destroy();
  subject.open = new Agent({
    connect: {
      ...(options as buildConnector.BuildOptions),
      timeout: subject.config.timeouts.connectMs,
    },
  });
}

function shakeHands(base: URL, options: ConnectionOptions, timeoutMs: number): Promise<Shown> {
  const { host, port } = addressOf(base);
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...options,
      host,
      port,
      rejectUnauthorized: false,
    });
    const timer = setTimeout(() => {
      socket.destroy(Object.assign(new Error('no handshake in time'), { code: 'ETIMEDOUT' }));
    }, timeoutMs);
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate();
      const problem = socket.authorized ? undefined : codeOf(socket.authorizationError);
      socket.destroy();
      resolve({ problem, certificate });
    });
    socket.once('error', reject);
    socket.once('close', () => clearTimeout(timer));
  });
}

/** Node's types say Error; Node itself gives the code. */
function codeOf(problem: unknown): string {
  if (problem instanceof Error) return (problem as NodeJS.ErrnoException).code ?? problem.message;
  return String(problem);
}

function judgePlain(base: URL): Finding {
  return isLoopbackHost(base.hostname)
    ? ok('plain http, within this machine')
    : warn(
        'plain http beyond this machine: tokens and health data travel readable for anyone on the way',
        'Use https in "upstream"',
      );
}

function judgeTrusted(
  certificate: X509Certificate | undefined,
  { clock, config }: Subject,
): Finding[] {
  const findings: Finding[] = [];
  const left = certificate === undefined ? Infinity : endOf(certificate) - clock.now();
  if (left < SOON_MS) {
    findings.push(
      warn(
        `the certificate ends in ${Math.max(0, Math.floor(left / DAY_MS))} days: ${describe(certificate)}`,
        'Renew the certificate of the server',
      ),
    );
  }
  if (config.tls.insecure) {
    findings.push(
      warn(
        'any certificate is accepted ("tls.insecure"), though this one needs no exception',
        'Take "insecure" out of "tls"',
      ),
    );
  }
  return findings.length > 0 ? findings : [ok(`trusted: ${describe(certificate)}`)];
}

async function judgeRefused(
  subject: Subject,
  problem: string,
  certificate: X509Certificate | undefined,
): Promise<Finding> {
  const { base, config } = subject;
  const { ca } = config.tls;
  const error = Object.assign(new Error(problem), { code: problem });
  const { reason } = parseNetworkFailure(error, { hasAuthority: ca !== undefined });
  const hint = explainNetwork(subject, error);
  const message = `${reason} (${problem}): ${describe(certificate)}`;
  if (isAboutTrust(problem)) return fail(message, await trustFix(base, certificate, ca), hint);
  if (problem === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return fail(message, nameFix(base, certificate), hint);
  }
  return fail(message, undefined, hint);
}

function isAboutTrust(problem: string): boolean {
  return /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE/.test(
    problem,
  );
}

function nameFix(base: URL, certificate: X509Certificate | undefined): string {
  const [name] = namesOf(certificate);
  if (name === undefined) return 'Give the server a certificate with its name as subjectAltName';
  const plain = name.replace(/^\*\./, 'www.');
  return `Write that name in place of "${base.hostname}" in "upstream", or add to this route: "tls": { "serverName": "${plain}" }`;
}

function describe(certificate: X509Certificate | undefined): string {
  if (certificate === undefined) return 'the server shows no certificate';
  const names = namesOf(certificate);
  const isSelfSigned = certificate.issuer === certificate.subject;
  const parts = [
    names.length === 0 ? 'for no name' : `for ${names.slice(0, 5).join(', ')}`,
    isSelfSigned ? 'signed by itself' : `issued by ${nameIn(certificate.issuer)}`,
    `valid until ${new Date(endOf(certificate)).toISOString().slice(0, 10)}`,
  ];
  return parts.join(', ');
}

function endOf({ validTo }: X509Certificate): number {
  return Date.parse(validTo);
}

function namesOf(certificate: X509Certificate | undefined): string[] {
  const names = certificate?.subjectAltName?.split(', ') ?? [];
  return names.map((name) => shorten(name.replace(/^(?:DNS|IP Address):/, '')));
}

/** An IPv6 address as people write it (RFC 5952); anything else as it is. */
function shorten(name: string): string {
  return isIP(name) === 6 ? withoutBrackets(new URL(`http://[${name}]`).hostname) : name;
}
