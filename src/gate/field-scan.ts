/**
 * One walk over the raw fields of a request. Node joins duplicates or drops all but the first, and
 * what it drops here the upstream may see: attacks rest on that.
 */

/** The fields that the gate decides by; a value is the first one's unless said otherwise. */
export interface ScannedFields {
  hostCount: number;
  host: string;
  originCount: number;
  origin: string;
  /** Every `Sec-Fetch-Site` value, joined by commas. */
  fetchSite: string;
  contentTypeCount: number;
  contentType: string;
  /** Every `Content-Encoding` value, joined by commas. */
  contentEncoding: string;
  contentLength: string;
  transferEncodingCount: number;
  /** Every `Transfer-Encoding` value, joined by commas. */
  transferEncoding: string;
  authorization: string;
  apiKey: string;
  /** `Access-Control-Request-Method`. */
  requestMethod: string;
  /** Every `Access-Control-Request-Headers` value, joined by commas. */
  requestHeaders: string;
  /** `Access-Control-Request-Private-Network`. */
  requestPrivateNetwork: string;
}

/** @param rawHeaders names and values in turn, as `IncomingMessage.rawHeaders` holds them */
export function scanFields(rawHeaders: readonly string[]): ScannedFields {
  const found: ScannedFields = {
    hostCount: 0,
    host: '',
    originCount: 0,
    origin: '',
    fetchSite: '',
    contentTypeCount: 0,
    contentType: '',
    contentEncoding: '',
    contentLength: '',
    transferEncodingCount: 0,
    transferEncoding: '',
    authorization: '',
    apiKey: '',
    requestMethod: '',
    requestHeaders: '',
    requestPrivateNetwork: '',
  };
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (isCandidate(name.length)) take(found, name.toLowerCase(), rawHeaders[i + 1] as string);
  }
  return found;
}

/** Lengths of the names below: most fields are passed over without lower-casing their names. */
function isCandidate(length: number): boolean {
  return (
    length === 4 ||
    length === 6 ||
    length === 9 ||
    (length >= 12 && length <= 14) ||
    length === 16 ||
    length === 17 ||
    length >= 29
  );
}

function take(found: ScannedFields, name: string, value: string): void {
  switch (name) {
    case 'host':
      if (found.hostCount++ === 0) found.host = value;
      break;
    case 'origin':
      if (found.originCount++ === 0) found.origin = value;
      break;
    case 'sec-fetch-site':
      found.fetchSite = joined(found.fetchSite, value);
      break;
    case 'content-type':
      if (found.contentTypeCount++ === 0) found.contentType = value;
      break;
    case 'content-encoding':
      found.contentEncoding = joined(found.contentEncoding, value);
      break;
    case 'content-length':
      found.contentLength = value;
      break;
    case 'transfer-encoding':
      found.transferEncodingCount++;
      found.transferEncoding = joined(found.transferEncoding, value);
      break;
    case 'authorization':
      if (found.authorization === '') found.authorization = value;
      break;
    case 'x-api-key':
      if (found.apiKey === '') found.apiKey = value;
      break;
    case 'access-control-request-method':
      found.requestMethod = value;
      break;
    case 'access-control-request-headers':
      found.requestHeaders = joined(found.requestHeaders, value);
      break;
    case 'access-control-request-private-network':
      found.requestPrivateNetwork = value;
      break;
    default:
  }
}

function joined(first: string, next: string): string {
  return first === '' ? next : `${first},${next}`;
}
