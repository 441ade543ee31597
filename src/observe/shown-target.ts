import type { Exchange } from '../base/contracts.ts';
import type { Interaction } from '../fhir/interaction.ts';
import { redactCredentials } from './redaction.ts';

/** Stands for an id or a value in a URL that must not show it. */
const REDACTED = 'REDACTED';

/**
 * The request target of an exchange as it may be shown: as it was when values are shown, else put
 * together from the interaction, with `REDACTED` for ids and parameter values:
 * `/fhir/Patient/REDACTED?_count=REDACTED`.
 */
export function showTarget(exchange: Exchange, showValues: boolean): string {
  if (showValues && exchange.wire !== undefined) return redactCredentials(exchange.wire.target);
  const { route = '', interaction, parameterNames = [], method } = exchange;
  const path = interaction === undefined ? `/${REDACTED}` : redactedPath(interaction, method);
  const query = parameterNames
    .map((name) => `${name === '…' ? REDACTED : encodeURI(name)}=${REDACTED}`)
    .join('&');
  return `${route}${path}${query === '' ? '' : `?${query}`}`;
}

function redactedPath({ name, resourceType, operation }: Interaction, method: string): string {
  const type = resourceType === undefined ? '' : `/${resourceType}`;
  switch (name) {
    case 'capabilities':
      return '/metadata';
    case 'discovery':
      return '/.well-known/smart-configuration';
    case 'operation':
      return `${type}/${operation ?? ''}`;
    case 'search':
      return method === 'POST' ? `${type}/_search` : type;
    case 'create':
      return type;
    case 'history':
      return `${type}/_history`;
    case 'vread':
      return `${type}/${REDACTED}/_history/${REDACTED}`;
    case 'read':
    case 'update':
    case 'patch':
    case 'delete':
      return `${type}/${REDACTED}`;
    case 'batch':
      return '';
    case 'other':
      return type === '' ? `/${REDACTED}` : `${type}/${REDACTED}`;
  }
}
