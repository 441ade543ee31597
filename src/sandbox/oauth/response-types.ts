/** `response_types_supported` of every version's discovery documents, in their order. */
export const RESPONSE_TYPES: readonly string[] = [
  'code',
  'token',
  'id_token',
  'code token',
  'code id_token',
  'token id_token',
  'code token id_token',
];
