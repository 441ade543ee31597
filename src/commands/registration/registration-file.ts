/** What it takes to remove a registration again (RFC 7592), where the server lets programs do that. */
import { readFile, rm } from 'node:fs/promises';

import type { RegistrationAccess } from '../../auth/registration.ts';
import { ProxyError } from '../../base/errors.ts';
import { pathInMessage } from '../../config/path-in-message.ts';
import { writePrivateFile } from '../private-file.ts';

/** What the file holds. */
export type FiledRegistration = RegistrationAccess & { clientId: string };

/** Writes the file; the token in it is a credential. Never over one that is there. */
export async function writeRegistration(
  file: string,
  registration: FiledRegistration,
): Promise<void> {
  await writePrivateFile(file, `${JSON.stringify(registration, null, 2)}\n`, 'registration file');
}

/** @throws ProxyError `registration-file-unusable` */
export async function readRegistration(file: string): Promise<FiledRegistration> {
  let value: Partial<FiledRegistration>;
  try {
    value = JSON.parse(await readFile(file, 'utf8')) as Partial<FiledRegistration>;
  } catch (error) {
    // The parser's own message may quote the text, which is a secret.
    const { code = 'not JSON' } = error as NodeJS.ErrnoException;
    throw refuse(file, code);
  }
  const { clientId, registrationClientUri, registrationAccessToken } = value;
  if (clientId && registrationClientUri && registrationAccessToken) {
    return { clientId, registrationClientUri, registrationAccessToken };
  }
  throw refuse(file, 'members are missing');
}

/** The registration is gone, and the file is of no more use. */
export async function removeRegistrationFile(file: string): Promise<void> {
  await rm(file, { force: true });
}

function refuse(file: string, reason: string): ProxyError {
  return new ProxyError(
    'registration-file-unusable',
    `cannot use the registration file ${pathInMessage(file)} (${reason}): expected what "fhir-auth-proxy register" wrote. OpenEMR gives none; disable the client under Admin > System > API Clients`,
  );
}
