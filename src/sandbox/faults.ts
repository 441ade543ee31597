/** Failures that the sandbox plays on demand. */

/** Faults by name, with their JSON value in `POST /__sandbox/faults`. */
export interface FaultSettings {
  /** Access tokens are refused as expired. `issued`: only those issued so far, so that a new one helps. */
  'token-expired': boolean | 'issued';
  /** Access tokens are refused as revoked. */
  'token-revoked': boolean | 'issued';
  /** Access tokens are missing in the server's database: an empty 401. */
  'token-row-gone': boolean | 'issued';
  /** Every client counts as not enabled at the token endpoint. */
  'client-disabled': boolean;
  /** Seconds by which the server's clock is ahead of the true time; negative: behind. */
  'clock-skew': number;
  /** No jwks_uri can be fetched, and a client with an inline JWK Set counts as having a jwks_uri. */
  'jwks-unreachable': boolean;
  /** MariaDB is stopped: empty 500. */
  'database-down': boolean;
  /** PHP-FPM is stopped: 503 with an HTML page. */
  'php-fpm-down': boolean;
  /** Milliseconds that the token endpoint waits before it answers. */
  'slow-token': number;
  /** Milliseconds that FHIR answers wait. */
  'slow-answer': number;
  /** The connection is reset in the middle of every FHIR answer's body. */
  'reset-mid-body': boolean;
  /** The server's private and public key do not belong together: tokens are issued, every call is a 401. */
  'server-keys-mismatched': boolean;
}

/** Name of a fault. */
export type FaultName = keyof FaultSettings;

const NONE: Readonly<FaultSettings> = {
  'token-expired': false,
  'token-revoked': false,
  'token-row-gone': false,
  'client-disabled': false,
  'clock-skew': 0,
  'jwks-unreachable': false,
  'database-down': false,
  'php-fpm-down': false,
  'slow-token': 0,
  'slow-answer': 0,
  'reset-mid-body': false,
  'server-keys-mismatched': false,
};

/** Every fault name, in the order of the documentation. */
export const FAULT_NAMES: readonly FaultName[] = Object.keys(NONE) as FaultName[];

const MAX_SKEW_SECONDS = 10 * 365 * 86_400;
const MAX_DELAY_MS = 600_000;

/** No fault at all. */
export function noFaults(): FaultSettings {
  return { ...NONE };
}

/**
 * Reads faults from outside: the JSON of `POST /__sandbox/faults`, or what `--fault` gave.
 *
 * @returns the faults named, or a sentence that says what is wrong
 */
export function parseFaults(input: unknown): Partial<FaultSettings> | string {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return `expected a JSON object such as {"token-expired": true}; names: ${FAULT_NAMES.join(', ')}`;
  }
  const faults: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(input)) {
    const problem = faultProblem(name, value);
    if (problem !== undefined) return problem;
    faults[name] = value;
  }
  return faults;
}

/** Reads one `--fault` text: `name`, or `name=value`. */
export function parseFaultText(text: string): Partial<FaultSettings> | string {
  const [name = '', value] = text.split('=', 2);
  if (value === undefined) return parseFaults({ [name]: true });
  if (value === 'true' || value === 'false') return parseFaults({ [name]: value === 'true' });
  return parseFaults({ [name]: value === 'issued' || value === '' ? value : Number(value) });
}

function faultProblem(name: string, value: unknown): string | undefined {
  if (!Object.hasOwn(NONE, name)) {
    return `unknown fault "${name}": expected one of ${FAULT_NAMES.join(', ')}`;
  }
  if (typeof NONE[name as FaultName] === 'number') {
    const limit = name === 'clock-skew' ? MAX_SKEW_SECONDS : MAX_DELAY_MS;
    const unit = name === 'clock-skew' ? 'seconds' : 'milliseconds';
    const least = name === 'clock-skew' ? -limit : 0;
    const fits =
      typeof value === 'number' && Number.isFinite(value) && value >= least && value <= limit;
    return fits
      ? undefined
      : `fault "${name}": expected a number of ${unit} from ${least} to ${limit}`;
  }
  if (typeof value === 'boolean') return undefined;
  if (value === 'issued' && name.startsWith('token-')) return undefined;
  return `fault "${name}": expected true or false${name.startsWith('token-') ? ', or "issued" for the tokens issued so far' : ''}`;
}
