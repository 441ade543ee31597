/** What `init` shows at its end. */
import type { AccessToken } from '../../base/contracts.ts';
import { ownAddress } from '../../config/host.ts';
import { DEFAULT_CONFIG_FILE, type LoadedConfig } from '../../config/load.ts';
import type { RouteConfig } from '../../config/schema.ts';
import { shownPath } from '../path-from.ts';
import { describeAnswer, type FirstAnswer } from './first-answer.ts';
import type { InitSession } from './session.ts';

/** Everything made and seen. */
export interface Result {
  loaded: LoadedConfig & { route: RouteConfig };
  /** Page where the client is enabled; OpenEMR only. */
  adminPage: string | undefined;
  /** Undefined when nothing was waited for. */
  token: AccessToken | undefined;
  answer: FirstAnswer | undefined;
}

/** Shows the first answer and what to type next; with `--json` what was made. Neither holds health data. */
export function printResult(result: Result, session: InitSession): void {
  const { loaded, token, answer } = result;
  const { args, file, dialogue, cwd, stdout } = session;
  if (args.json) {
    stdout.writeJson(describeResult(result, file), 2);
    return;
  }
  const { listen } = loaded.config;
  if (answer !== undefined) {
    dialogue.step(
      `GET ${loaded.route.path}${answer.target} was answered with ${answer.status}: ${describeAnswer(answer)}`,
    );
  }
  const title = token === undefined ? 'Once it is enabled, start the proxy' : 'Start the proxy';
  dialogue.note(`${title}, and ask it without a token`, [
    commandWithConfig('', file, cwd),
    `curl '${ownAddress(listen, listen.port)}${loaded.route.path}${answer?.target ?? '/Patient'}'`,
  ]);
}

/**
 * What to type for a command that reads the config file.
 *
 * @param command empty for the one that runs the proxy
 */
export function commandWithConfig(command: string, file: string, cwd: string): string {
  const shown = shownPath(cwd, file);
  const flag = shown === DEFAULT_CONFIG_FILE ? '' : `--config ${shown}`;
  return ['fhir-auth-proxy', command, flag].filter((word) => word !== '').join(' ');
}

function describeResult({ loaded, adminPage, token, answer }: Result, file: string): object {
  const { route } = loaded;
  const body = answer === undefined ? {} : parseObject(answer.body);
  return {
    config: file,
    upstream: route.upstream,
    route: route.path,
    clientId: route.client?.id,
    key: route.client?.key,
    scopes: route.client?.scopes,
    certificate: route.tls.ca,
    adminPage,
    enabled: token !== undefined,
    grantedScopes: token?.grantedScopes,
    answer: answer && {
      target: `${route.path}${answer.target}`,
      status: answer.status,
      resourceType: body['resourceType'],
      total: body['total'],
    },
  };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
