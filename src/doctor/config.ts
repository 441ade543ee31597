import { type ConfigError, describeProblem } from '../base/errors.ts';
/** What is told about the configuration as a whole. */
import type { LoadedConfig } from '../config/load.ts';
import { pathInMessage } from '../config/path-in-message.ts';
import { type CheckResult, fail, ok, warn } from './result.ts';

/** Results for a configuration that could be loaded. */
export function describeConfig({ config, file, warnings }: LoadedConfig): CheckResult[] {
  const { length } = config.routes;
  const where = file === undefined ? 'flags and environment' : pathInMessage(file);
  return [
    ok(`${where} is valid: ${length === 1 ? '1 route' : `${length} routes`}`),
    ...warnings.map((text) => warn(text)),
  ].map((finding) => ({ check: 'config', ...finding }));
}

/** Results for one that cannot: one for each problem. */
export function describeConfigError({ problems }: ConfigError): CheckResult[] {
  return problems.map((problem) => ({
    check: 'config',
    ...fail(describeProblem(problem), problem.remedy),
  }));
}
