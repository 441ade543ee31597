import { redactCredentials, redactText } from './redaction.ts';

/** A field as it may be shown. */
export interface FieldView {
  name: string;
  /** The value, or `…` in place of what must not be shown. */
  value: string;
  /** `removed`: did not cross; `added`: the proxy put it there; `changed`: crossed with another value. */
  change?: 'removed' | 'added' | 'changed';
}

/** What stands for a hidden value. */
export const HIDDEN = '…';

/** Fields that hold credentials, lower-case; never shown, whatever is asked for. */
const CREDENTIALS = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'apicsrftoken',
  'x-api-key',
  'authentication-info',
  'proxy-authentication-info',
]);

/** Fields whose values are about the protocol and not about a person, lower-case. */
const HARMLESS = new Set([
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'accept-ranges',
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-expose-headers',
  'access-control-request-headers',
  'access-control-request-method',
  'age',
  'allow',
  'cache-control',
  'connection',
  'content-encoding',
  'content-language',
  'content-length',
  'content-type',
  'date',
  'expect',
  'expires',
  'host',
  'keep-alive',
  'last-modified',
  'origin',
  'pragma',
  'prefer',
  'preference-applied',
  'proxy-status',
  'retry-after',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'server',
  'server-timing',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'upgrade-insecure-requests',
  'user-agent',
  'vary',
  'x-content-type-options',
  'x-frame-options',
  'x-powered-by',
  'x-progress',
]);

/** What the value of a harmless field looks like; anything longer or stranger is hidden all the same. */
const HARMLESS_VALUE = /^[\w\s.,;:=*/+"'()<>@%#&?!~[\]-]{0,200}$/;

/** The value of a field as it may be shown. */
export function showFieldValue(name: string, value: string, showValues: boolean): string {
  const lower = name.toLowerCase();
  if (CREDENTIALS.has(lower)) {
    const [, scheme] = /^(Bearer|Basic|DPoP|Digest)\s/i.exec(value) ?? [];
    return scheme === undefined ? HIDDEN : `${scheme} ${HIDDEN}`;
  }
  if (showValues) return redactCredentials(value);
  const shown = redactText(value);
  return HARMLESS.has(lower) && HARMLESS_VALUE.test(shown) ? shown : HIDDEN;
}

/**
 * Two field lists side by side: those that came in, each with whether it crossed, and those that
 * went out, each with whether it was added.
 *
 * @param before raw fields that came in
 * @param after raw fields that went out; undefined when nothing went out, and nothing is marked
 */
export function compareFields(
  before: readonly string[],
  after: readonly string[] | undefined,
  showValues: boolean,
): { before: FieldView[]; after: FieldView[] } {
  const incoming = pair(before);
  const outgoing = pair(after ?? []);
  const view = (
    fields: readonly RawField[],
    others: readonly RawField[],
    missing: 'removed' | 'added',
  ) =>
    fields.map(({ name, value }): FieldView => {
      const shown = { name, value: showFieldValue(name, value, showValues) };
      if (after === undefined) return shown;
      const same = others.filter((other) => other.name.toLowerCase() === name.toLowerCase());
      // The upstream gets its own Host, from the connection.
      if (same.length === 0) {
        return { ...shown, change: name.toLowerCase() === 'host' ? 'changed' : missing };
      }
      const kept = same.some((other) => other.value === value);
      return kept ? shown : { ...shown, change: 'changed' };
    });
  return {
    before: view(incoming, outgoing, 'removed'),
    after: view(outgoing, incoming, 'added'),
  };
}

/** Fields as they may be shown, without a comparison. */
export function showFields(raw: readonly string[], showValues: boolean): FieldView[] {
  return compareFields(raw, undefined, showValues).before;
}

interface RawField {
  name: string;
  value: string;
}

/** Name and value of each field of a raw list. */
export function pair(raw: readonly string[]): RawField[] {
  const fields: RawField[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    fields.push({ name: raw[index] ?? '', value: raw[index + 1] ?? '' });
  }
  return fields;
}

/** The first value with this lower-case name in a raw list. */
export function findValue(raw: readonly string[] | undefined, name: string): string | undefined {
  return pair(raw ?? []).find((field) => field.name.toLowerCase() === name)?.value;
}
