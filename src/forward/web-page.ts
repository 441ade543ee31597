/** Tells a web page from FHIR: a success with a page in it is none. */
import type { Interaction } from '../fhir/interaction.ts';
import { findField, type RawFields } from './response-fields.ts';

const PAGE = /^(?:text\/html|application\/xhtml\+xml)\b/i;

/**
 * Whether a 2xx answer is a web page where FHIR was asked for. OpenEMR 8 answers so to what it takes
 * for a request of its own pages, a login portal in between to everything. Not a page that was asked
 * for (`Accept: text/html`), and not the content of a Binary, which may be one.
 *
 * @param accept value of the request's `Accept` field (RFC 9110 section 12.5.1)
 */
export function isUnaskedPage(
  status: number,
  fields: RawFields,
  request: { interaction: Interaction; accept: string | undefined },
): boolean {
  const { interaction, accept = '' } = request;
  if (status < 200 || status > 299 || interaction.resourceType === 'Binary') return false;
  return PAGE.test(findField(fields, 'content-type') ?? '') && !/\bx?html\b/i.test(accept);
}
