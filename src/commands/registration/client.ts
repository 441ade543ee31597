/** Makes the proxy a client of the server: scopes chosen, registered by itself or by hand. */
import { buildJwks } from '../../auth/jwks.ts';
import {
  buildClientMetadata,
  REDIRECT_URI,
  type RegisteredClient,
  requestRegistration,
} from '../../auth/registration.ts';
import type { SigningKey } from '../../auth/signing-key.ts';
import { buildScopeChoices, type ScopeChoice, spellScopes } from '../../auth/system-scopes.ts';
import type { Hint } from '../../base/contracts.ts';
import { type ProxyError, RegistrationError } from '../../base/errors.ts';
import { explain } from '../../hints/match.ts';
import { UsageError } from '../usage-error.ts';
import { type ReachedServer, REQUEST_MS } from './server.ts';
import type { RegistrationSession } from './session.ts';

/** Types that people look at first when they try a FHIR API. */
const FIRST_TYPES = ['Patient', 'Observation', 'Condition', 'Encounter'];
/** Not a real address: OpenEMR only refuses an empty list. */
const NO_CONTACT = 'nobody@localhost';

/** Scopes of `--scopes`, else as chosen by the person; spelt as the server takes them. */
export async function chooseScopes(
  { description }: ReachedServer,
  { args, dialogue }: RegistrationSession,
): Promise<string[]> {
  const { systemScopes } = description;
  const choices = firstTypesFirst(buildScopeChoices(systemScopes, { write: args.write }));
  if (args.scopes === undefined && choices.length === 0 && dialogue.interactive) {
    throw new UsageError(
      'the server announces no system scopes to choose from',
      'Name them with --scopes, such as --scopes system/Patient.read',
    );
  }
  const wanted =
    args.scopes === undefined
      ? await dialogue.askMany({
          flag: '--scopes',
          message: `What may the proxy ask for?${args.write ? '' : ' (reading only; --write offers more)'}`,
          expected: `scopes separated by spaces${choices.length === 0 ? '' : `, of: ${choices.map(({ scope }) => scope).join(' ')}`}`,
          choices: choices.map(({ scope, allows }) => ({
            value: scope,
            hint: allows,
          })),
          initial: choices
            .filter(
              ({ resourceType, allows }) =>
                FIRST_TYPES.includes(resourceType) && /read/.test(allows),
            )
            .map(({ scope }) => scope),
        })
      : args.scopes;
  const { scopes, notes, unknown } = spellScopes(wanted, systemScopes);
  for (const note of notes) dialogue.step(note);
  if (unknown.length > 0) {
    throw new UsageError(
      `the server does not have "${unknown.join('", "')}": expected scopes of: ${systemScopes.join(' ')}`,
      'One unknown scope makes it refuse all of them',
    );
  }
  return scopes;
}

function firstTypesFirst(choices: readonly ScopeChoice[]): ScopeChoice[] {
  const rank = ({ resourceType }: ScopeChoice) => {
    const position = FIRST_TYPES.indexOf(resourceType);
    return position === -1 ? FIRST_TYPES.length : position;
  };
  return choices.toSorted((a, b) => rank(a) - rank(b));
}

/** What is registered. */
export interface Registration {
  scopes: readonly string[];
  key: SigningKey;
  /** Address of the public keys, when that is registered instead of the keys. */
  jwksUri: string | undefined;
}

/**
 * Registers the client.
 *
 * @throws RegistrationError; `registration-closed` when the server announces no place for it
 */
export async function register(
  { scopes, key, jwksUri }: Registration,
  { description, dispatcher }: ReachedServer,
  { args }: RegistrationSession,
): Promise<RegisteredClient> {
  const { registrationEndpoint } = description;
  if (registrationEndpoint === undefined) {
    throw new RegistrationError(
      'registration-closed',
      'the server announces no registration endpoint: register the client by hand',
    );
  }
  const metadata = buildClientMetadata({
    clientName: args['client-name'],
    scopes,
    contacts: [args.contact ?? NO_CONTACT],
    keys: jwksUri === undefined ? { jwks: buildJwks([key]) } : { jwksUri },
  });
  return requestRegistration(registrationEndpoint, metadata, {
    dispatcher,
    timeoutMs: REQUEST_MS,
    clock: Date,
  });
}

/** What explains a refused registration. */
export function explainRegistration(error: ProxyError): readonly Hint[] {
  const answer = error instanceof RegistrationError ? error.answer : undefined;
  if (answer === undefined) return [];
  return explain({ stage: 'registration', logEntries: [], ...answer });
}

/** The values for OpenEMR's registration form, for a person to enter. */
export function describeByHand(
  { scopes, key, jwksUri }: Registration,
  { description }: ReachedServer,
  { args }: RegistrationSession,
): { title: string; lines: string[] } {
  const form = description.pages?.registerApp;
  return {
    title: `Enter this ${form === undefined ? 'where clients are registered' : `at ${form}`}`,
    lines: [
      'Application Type  Confidential',
      'Application Role  System Client',
      `App Name          ${args['client-name']}`,
      `Contact Email     ${args.contact ?? NO_CONTACT}`,
      `Redirect URI      ${REDIRECT_URI}`,
      `Scopes            ${scopes.join(' ')}`,
      jwksUri === undefined
        ? `JSON Web Key Set  ${JSON.stringify(buildJwks([key]))}`
        : `JWKS URI          ${jwksUri}`,
    ],
  };
}
