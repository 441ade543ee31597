import { ConfigError, describeProblem, ProxyError } from '../base/errors.ts';
import { ExitError } from './exit-error.ts';
import { EXIT, type Runtime } from './runtime.ts';
import { UsageError } from './usage-error.ts';

/**
 * Says on standard error why a command failed, without a stack, and gives the exit code: that of an
 * {@link ExitError}, 2 for bad usage and configuration, 1 for everything else.
 */
export function reportFailure(error: unknown, runtime: Runtime): number {
  const { stderr } = runtime;
  if (error instanceof ExitError) return error.exitCode;
  if (error instanceof ConfigError) {
    stderr.write(formatProblems(error));
    return EXIT.usage;
  }
  if (error instanceof UsageError) {
    stderr.write(`error: ${error.message}\n${error.remedy ? `  ${error.remedy}\n` : ''}`);
    return EXIT.usage;
  }
  if (error instanceof ProxyError) {
    stderr.write(`error: ${error.message}\n`);
    return EXIT.failed;
  }
  // A defect of ours: its stack is for those who ask for it.
  const isDebug = runtime.environment['FHIR_AUTH_PROXY_LOG_LEVEL'] === 'debug';
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  stderr.write(
    isDebug
      ? `internal error: ${stack ?? message}\n`
      : `internal error: ${message}\n  This is a defect of fhir-auth-proxy; FHIR_AUTH_PROXY_LOG_LEVEL=debug shows where\n`,
  );
  return EXIT.failed;
}

/** One problem in one line, several below each other, each with place and remedy. */
function formatProblems({ problems, file }: ConfigError): string {
  const [only] = problems;
  // A wrong flag is not a fault of the file.
  const isOfFile = file !== undefined && problems.some(({ path }) => !path.startsWith('--'));
  const where = isOfFile ? `${file}: ` : '';
  if (problems.length === 1 && only !== undefined) {
    return `error: ${where}${describeProblem(only)}${only.remedy === undefined ? '' : `. ${only.remedy}`}\n`;
  }
  const list = problems.map(
    (problem) =>
      `  ${describeProblem(problem)}\n${problem.remedy === undefined ? '' : `    ${problem.remedy}\n`}`,
  );
  return `error: ${where}${problems.length} problems in the configuration\n${list.join('')}`;
}
