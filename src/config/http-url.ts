/** Whether a value is an absolute http or https URL without user, query and fragment. */
export function isHttpUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  return (
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.username === '' &&
    url.password === '' &&
    !value.includes('?') &&
    !value.includes('#')
  );
}

/** Whether a value can be what clients call the proxy by: an http or https URL whose path is plain. */
export function isPublicUrl(value: string): boolean {
  if (!isHttpUrl(value) || !/^https?:\/\/[^/\\\s]+(?:\/[A-Za-z0-9._~-]+)*\/?$/i.test(value))
    return false;
  return !/\/\.+(?:\/|$)/.test(value);
}
