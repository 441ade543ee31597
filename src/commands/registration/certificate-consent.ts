/** Whether a certificate that no authority vouches for is trusted: by its fingerprint, an earlier run, or a person. */
import {
  isSameFingerprint,
  requestServerCertificate,
  type ServerCertificate,
} from '../../auth/server-certificate.ts';
import { ProxyError } from '../../base/errors.ts';
import { shownPath } from '../path-from.ts';
import { UsageError } from '../usage-error.ts';
import { certificateFile, isPinned, writeCertificate } from './certificate-file.ts';
import type { RegistrationSession } from './session.ts';

/** A certificate that is trusted from now on. */
export interface Trusted {
  /** Absolute path of its file. */
  ca: string;
  /** See {@link ServerCertificate}. */
  serverName: string | undefined;
  /** Whether the file was written just now. */
  written: boolean;
}

/**
 * Has the certificate of a server trusted and filed. A fingerprint that was given is compared in any case,
 * also with the certificate that an earlier run trusted.
 *
 * @throws ProxyError `certificate-not-trusted`, UsageError without a terminal when no flag decides it
 */
export async function trustCertificate(
  origin: string,
  timeoutMs: number,
  session: RegistrationSession,
): Promise<Trusted> {
  const { args, folder, dialogue, cwd } = session;
  const certificate = await requestServerCertificate(origin, timeoutMs);
  const { serverName } = certificate;
  const earlier = certificateFile(folder, origin);
  assertGiven(args['pin-certificate'], certificate, origin);
  if (await isPinned(folder, origin, certificate)) {
    dialogue.step(
      `the certificate of ${origin} is the one that an earlier run trusted: ${shownPath(cwd, earlier)}`,
    );
    return { ca: earlier, serverName, written: false };
  }
  await agreeOn(certificate, origin, session);
  const { file, written } = await writeCertificate(folder, origin, certificate);
  if (written)
    dialogue.step(`wrote ${shownPath(cwd, file)}: this certificate is trusted from now on`);
  return { ca: file, serverName, written };
}

/**
 * Compares a fingerprint that was given with the certificate of a server that is trusted anyway.
 *
 * @throws ProxyError `certificate-not-trusted`
 */
export async function assertPinned(
  pin: string | undefined,
  fhirBase: string,
  timeoutMs: number,
): Promise<void> {
  if (pin === undefined || pin === 'first') return;
  const { protocol, origin } = new URL(fhirBase);
  if (protocol !== 'https:') {
    throw new ProxyError(
      'certificate-not-trusted',
      `"${origin}" shows no certificate, it is not https: expected ${pin}. Give an https address, or leave --pin-certificate out`,
    );
  }
  assertGiven(pin, await requestServerCertificate(origin, timeoutMs), origin);
}

function assertGiven(pin: string | undefined, { sha256 }: ServerCertificate, origin: string): void {
  if (pin === undefined || pin === 'first' || isSameFingerprint(pin, sha256)) return;
  throw new ProxyError(
    'certificate-not-trusted',
    `the certificate of "${origin}" has the SHA-256 ${sha256}: expected ${pin}. Another machine may be in between; compare with the fingerprint on the server itself`,
  );
}

async function agreeOn(
  certificate: ServerCertificate,
  origin: string,
  { args, dialogue }: RegistrationSession,
): Promise<void> {
  const { subject, issuer, validTo, sha256, selfSigned } = certificate;
  dialogue.note(`The certificate of ${origin} is not signed by a trusted authority`, [
    `subject  ${subject}`,
    `issuer   ${issuer}`,
    `expires  ${validTo.toISOString().slice(0, 10)}`,
    `SHA-256  ${sha256}`,
  ]);
  if (!selfSigned) {
    throw new ProxyError(
      'certificate-not-trusted',
      `the certificate of "${origin}" cannot be pinned, its authority did not come with it: name the PEM file of "${issuer}" with --ca`,
    );
  }
  if (args['pin-certificate'] !== undefined) return;
  const expected = `the SHA-256 of the certificate to trust (the server shows ${sha256}), or --ca with its authority`;
  if (!dialogue.interactive && args.scopes === undefined) {
    throw new UsageError(
      `--pin-certificate is missing: expected ${expected}; --scopes is missing: expected scopes separated by spaces, such as "system/Patient.read"`,
      'Without a terminal nothing is asked',
    );
  }
  const isTrusted = await dialogue.askConfirm({
    flag: '--pin-certificate',
    message: 'Trust exactly this certificate? Compare the fingerprint if the network is not yours',
    expected,
  });
  if (isTrusted) return;
  throw new ProxyError(
    'certificate-not-trusted',
    `the certificate of "${origin}" is not trusted: name its authority with --ca, or install one that is`,
  );
}
