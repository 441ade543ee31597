/** The token endpoint of OpenEMR 8.0.0, apart from its failures. */
import type { SandboxRequest } from '../../exchange.ts';
import { parsePhpForm, type PhpParameters } from '../../php-form.ts';
import type { Failure, LogMessage } from '../failure.ts';
import { type PhpFrame, phpPostTooLong, phpWarning } from '../php.ts';
import { badRequest, exception, siteError } from './errors.ts';
import { CONTROLLER, CONTROLLER_FILE, OAUTH_LISTENER, TOKEN_CALL } from './oauth-parts.ts';

/** A form or a JSON object, whatever the method; a body that is neither is refused. */
export async function readForm(
  request: SandboxRequest,
  postMaxBytes: number,
): Promise<PhpParameters | Failure> {
  const { headers, body, bodyBytes } = request;
  const lost = bodyBytes > postMaxBytes;
  const form = lost ? undefined : await parsePhpForm(headers['content-type'], body);
  const parameters =
    form !== undefined && form.size > 0
      ? form
      : bodyBytes === 0
        ? new Map<string, string>()
        : parseJson(lost ? '' : body.toString('utf8'));
  if (parameters === undefined)
    return undecodable(lost ? [phpPostTooLong(bodyBytes, postMaxBytes)] : []);
  return parameters.has('grant_type') ? parameters : GRANT_TYPE_MISSING;
}

/** Site of `/default/token`; a path without a site is the default one's. */
export function oauthSite(endpoint: string): string | Failure {
  const segments = endpoint.slice(1).split('/');
  const site = segments.length > 1 ? (segments[0] ?? '') : '';
  if (site === '' || site === 'default') return 'default';
  return siteError(endpoint, 'oauth2/authorize.php');
}

const GRANT_TYPE_MISSING = exception(
  500,
  `Cannot assign null to property ${CONTROLLER}::$grantType of type string`,
  [TOKEN_CALL, ...OAUTH_LISTENER],
  { before: [phpWarning('Undefined array key "grant_type"', CONTROLLER_FILE, 1357)] },
);

function undecodable(before: LogMessage[]): Failure {
  const frames: PhpFrame[] = [
    [
      'src/Common/Http/HttpRestRequest.php',
      805,
      'Symfony\\Component\\HttpFoundation\\Request->getPayload',
    ],
    [CONTROLLER_FILE, 1355, 'OpenEMR\\Common\\Http\\HttpRestRequest->getParsedBody'],
    TOKEN_CALL,
    ...OAUTH_LISTENER,
  ];
  const previous = { code: '4', frames };
  return badRequest('Could not decode request body.', 'oauth2/authorize.php', previous, before);
}

/** Members of a JSON object; undefined for anything that is neither an object nor a list. */
function parseJson(text: string): PhpParameters | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map(
    Object.entries(value).flatMap(([name, member]) =>
      typeof member === 'string' ? [[name, member]] : [],
    ),
  );
}
