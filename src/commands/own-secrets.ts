/** Variables of the environment that hold a secret of the proxy: no child process and no crash report gets them. */
import { type Environment, isInlineKey } from '../config/environment.ts';
import type { ProxyConfig } from '../config/schema.ts';

/** Variables that hold a secret whatever the configuration says. */
export const SECRET_VARIABLES: readonly string[] = [
  'FHIR_AUTH_PROXY_KEY',
  'FHIR_AUTH_PROXY_API_KEY',
];

/** Names of the variables that hold a secret of this configuration, by whatever name it was referred to. */
export function findSecretVariables(
  environment: Environment,
  { listen, routes }: Pick<ProxyConfig, 'listen' | 'routes'>,
): string[] {
  const keys = routes.flatMap(({ client }) => client?.key ?? []).filter(isInlineKey);
  const secrets = [...keys, ...(listen.apiKey === undefined ? [] : [listen.apiKey])].map(plain);
  return Object.entries(environment).flatMap(([name, value = '']) =>
    SECRET_VARIABLES.includes(name) || secrets.some((secret) => plain(value).includes(secret))
      ? [name]
      : [],
  );
}

/** The environment for a child process. */
export function withoutSecrets(
  environment: Environment,
  config: Pick<ProxyConfig, 'listen' | 'routes'>,
): Record<string, string | undefined> {
  const secret = new Set(findSecretVariables(environment, config));
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !secret.has(name)));
}

/** Keys may have their line breaks written as `\n`. */
function plain(text: string): string {
  return text.replaceAll(String.raw`\n`, '\n').trim();
}
