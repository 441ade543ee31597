import { isObject } from '../base/is-object.ts';
import { isInlineKey } from './environment.ts';
import { type ConfigPath, formatPath, valueAt } from './path.ts';

/**
 * Secrets that stand in the config file itself, where copies, commits and screenshots of it take them
 * along; one sentence each, without the secret. A reference such as `${NAME}` is no secret.
 *
 * @param written what the file holds, before anything was put in its place
 */
export function findInlineSecrets(written: unknown): string[] {
  const warnings: string[] = [];
  const apiKey = valueAt(written, ['listen', 'apiKey']);
  if (isSecret(apiKey)) {
    warnings.push(
      `${formatPath(['listen', 'apiKey'])} stands in the config file itself: anyone who sees the file can use the proxy. Write "\${NAME}" and set NAME in the environment, or set FHIR_AUTH_PROXY_API_KEY`,
    );
  }
  const routes = valueAt(written, ['routes']);
  for (const [index, route] of (Array.isArray(routes) ? routes : []).entries()) {
    const path: ConfigPath = ['routes', index, 'client', 'key'];
    const key = isObject(route) ? valueAt(route, ['client', 'key']) : undefined;
    if (!isSecret(key) || !isInlineKey(key)) continue;
    warnings.push(
      `${formatPath(path)} is the private key itself: anyone who sees the config file can act as this client. Put the key into a file of mode 0600 and name that`,
    );
  }
  return warnings;
}

function isSecret(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !/^\$\{\w+\}$/.test(value);
}
