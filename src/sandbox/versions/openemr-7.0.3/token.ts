/** The token endpoint of OpenEMR 7.0.3, apart from its failures. */
import type { SandboxRequest } from '../../exchange.ts';
import { parsePhpForm, type PhpParameters } from '../../php-form.ts';
import type { Failure, LogMessage } from '../failure.ts';
import { oauthError } from '../league.ts';
import { phpFatal, phpPostTooLong, phpWarning } from '../php.ts';
import { empty, siteUnknown } from './failures.ts';

const CONTROLLER = 'src/RestControllers/AuthorizationController.php';

const CSRF: LogMessage = {
  level: 'ERROR',
  message: 'AuthorizationController->oauthAuthorizeToken() CSRF check failed',
};

/** A form that PHP itself has read, with a grant type in it. */
export async function readForm(
  request: SandboxRequest,
  postMaxBytes: number,
): Promise<PhpParameters | Failure> {
  const { method, headers, body, bodyBytes } = request;
  const form = method === 'POST' ? await parsePhpForm(headers['content-type'], body) : undefined;
  if (form !== undefined && (form.get('grant_type') ?? '') !== '') return form;
  return {
    status: 400,
    body: oauthError('invalid_request', 'Bad request'),
    log: [
      ...(bodyBytes > postMaxBytes ? [phpPostTooLong(bodyBytes, postMaxBytes)] : []),
      form === undefined
        ? phpWarning('Trying to access array offset on value of type null', CONTROLLER, 1185)
        : phpWarning('Undefined array key "grant_type"', CONTROLLER, 1185),
      CSRF,
    ],
  };
}

/** First segment of the path; a site without a folder ends in PHP's own errors. */
export function oauthSite(endpoint: string): string | Failure {
  const segments = endpoint.slice(1).split('/');
  const site = segments[0] ?? '';
  if (segments.length < 2 || site === '') return SITE_MISSING;
  return site === 'default' ? site : siteUnknown(site);
}

const SITE_MISSING: Failure = {
  ...empty(500),
  contentType: 'text/html; charset=UTF-8',
  session: 'none',
  log: [
    phpFatal(
      'TypeError: OpenEMR\\FHIR\\Config\\ServerConfig::setSiteId(): Argument #1 ($siteId) must be of type string, null given, called in /var/www/localhost/htdocs/openemr/_rest_config.php on line 105 and defined',
      'src/FHIR/Config/ServerConfig.php',
      87,
    ),
  ],
};
