/** Ways in which a FHIR route of OpenEMR ends early. `index.ts` and the routes turn them into answers. */
import type { FhirFailureName } from '../versions/failure.ts';

const PREFIX =
  'The search field argument was invalid, improperly formatted, or could not be parsed.  Inner message: ';

/** A search parameter that OpenEMR does not take: a search finds nothing, a read is a 400. */
export class SearchFieldError extends Error {
  /** Parameter as it was sent, modifier included. */
  readonly field: string;

  /** @param reason OpenEMR's own words */
  constructor(field: string, reason: string) {
    super(`${PREFIX}${reason}`);
    this.name = 'SearchFieldError';
    this.field = field;
  }
}

/** PHP dies in the middle of the request: an exception that was not caught. */
export class PhpFatalError extends Error {
  /** Name of the failure that the version describes. */
  readonly failure: FhirFailureName;

  /** @param message what the exception says, where the cause has a message of its own */
  constructor(failure: FhirFailureName, message = '') {
    super(message);
    this.name = 'PhpFatalError';
    this.failure = failure;
  }
}

/** PHP dies because a result does not fit into its memory. */
export class PhpMemoryError extends Error {
  constructor() {
    super('memory exhausted');
    this.name = 'PhpMemoryError';
  }
}
