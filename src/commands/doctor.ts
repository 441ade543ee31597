import { ConfigError } from '../base/errors.ts';
import type { LoadedConfig } from '../config/load.ts';
import { describeConfig, describeConfigError } from '../doctor/config.ts';
import type { CheckResult } from '../doctor/result.ts';
import { runChecks } from '../doctor/run-checks.ts';
import { createCheckPrinter } from './check-lines.ts';
import { findRoute } from './chosen-route.ts';
import type { Arguments, Command } from './command.ts';
import { configArguments } from './config-flag.ts';
import { ExitError } from './exit-error.ts';
import { loadCommandConfig, logCommandArguments } from './load.ts';
import { createSilentLogger } from './loggers.ts';
import { EXIT, type Runtime, type StopSignal, signalExitCode } from './runtime.ts';

const doctorArguments = {
  ...configArguments,
  route: {
    alias: 'r',
    type: 'string',
    requiresArg: true,
    describe: 'Path of the only route to check, such as /fhir; default all',
  },
  json: {
    type: 'boolean',
    default: false,
    describe: 'Print an array of {check, route, status, message, fix, hint}',
  },
  ...logCommandArguments,
} satisfies Arguments;

/** Checks everything that the proxy depends on, and says what to do about what is wrong. */
export const doctorCommand: Command<typeof doctorArguments> = {
  purpose:
    'Checks everything that the proxy depends on, from the key file to one read of each resource type, and says what to do about what is wrong. Writes nothing. Its output holds no secret, token or patient data: paste it into an issue as it is.',
  examples: [
    { task: 'Check the setup in proxy.config.json', command: 'fhir-auth-proxy doctor' },
    {
      task: 'Check one route of another config file',
      command: 'fhir-auth-proxy doctor --config openemr.json --route /fhir',
    },
    {
      task: 'What failed, for a script',
      command: `fhir-auth-proxy doctor --json | jq '.[] | select(.status == "fail")'`,
    },
  ],
  arguments: doctorArguments,
  async run({ config: file, route, json, 'error-log-command': runsLogCommands }, runtime) {
    const { environment, stdout } = runtime;
    let loaded: LoadedConfig;
    try {
      // The check of the error log says that there is a command, also when it does not run it.
      loaded = await loadCommandConfig({ file, runsLogCommands: true }, runtime);
    } catch (error) {
      if (json && error instanceof ConfigError) writeJson(describeConfigError(error), runtime);
      throw error;
    }
    const path = route === undefined ? undefined : findRoute(loaded.config, route).path;
    const printer = json ? undefined : createCheckPrinter(stdout, environment);
    const results = describeConfig(loaded);
    for (const result of results) printer?.result(result);
    const signal = runtime.stopSignal();
    const checks = runChecks(loaded.config, {
      signal,
      logger: createSilentLogger(),
      runsLogCommands,
      route: path,
      onStart: (check, routePath) => printer?.start(check, routePath),
      onResult: (result) => printer?.result(result),
    });
    try {
      results.push(...(await checks));
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new ExitError(signalExitCode(signal.reason as StopSignal));
    }
    printer?.end();
    if (json) writeJson(results, runtime);
    if (results.some(({ status }) => status === 'fail')) throw new ExitError(EXIT.failed);
  },
};

function writeJson(results: readonly CheckResult[], { stdout }: Runtime): void {
  stdout.writeJson(results, 2);
}
