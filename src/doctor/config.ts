/** What is told about the configuration as a whole. */
import type { LoadedConfig } from '../config/load.ts';
import { pathInMessage } from '../config/path-in-message.ts';
import type { ConfigError } from '../errors.ts';
import { type CheckResult, ok, warn } from './result.ts';

/** Results for a configuration that could be loaded. */
export function describeConfig({ config, file, warnings }: LoadedConfig): CheckResult[] {
  const { length } = config.routes;
  const where = file === undefined ? 'flags and environment' : pathInMessage(file);
  return [
    ok(`${where} can be used: ${length === 1 ? '1 route' : `${length} routes`}`),
    ...warnings.map((text) => warn(text)),
  ].map((finding) => ({ check: 'config', ...finding }));
}

/** Results for one that cannot: one for each problem. */
export function describeConfigError({ problems }: ConfigError): CheckResult[] {
  return problems.map(({ path, message, remedy, line, column }) => ({
    check: 'config',
    status: 'fail',
    message: `${path}${line === undefined ? '' : ` (line ${line}, column ${column ?? 1})`}: ${message}`,
    ...(remedy === undefined ? {} : { fix: remedy }),
  }));
}
