/** What OpenEMR 8.0.0 does differently at registration. */
import type { Failure } from '../failure.ts';
import { oauthError } from '../league.ts';
import { phpWarning } from '../php.ts';
import type { RegistrationRules } from '../profile.ts';
import { badRequest } from './errors.ts';
import {
  CONTROLLER_FILE,
  OAUTH_LISTENER,
  REGISTRATION_CALL,
  registrationLine,
  UNEXPECTED,
} from './oauth-parts.ts';

const REPOSITORY_FILE = 'src/Common/Auth/OpenIDConnect/Repositories/ClientRepository.php';
const COLUMNS =
  '`client_id`, `client_role`, `client_name`, `client_secret`, `registration_token`, `registration_uri_path`, `register_date`, `revoke_date`, `contacts`, `redirect_uri`, `grant_types`, `scope`, `user_id`, `site_id`, `is_confidential`, `logout_redirect_uris`, `jwks_uri`, `jwks`, `initiate_login_uri`, `endorsements`, `policy_uri`, `tos_uri`, `is_enabled`, `skip_ehr_launch_authorization_flow`, `dsi_type`';

/** Rules of registration. */
export const REGISTRATION_RULES: RegistrationRules = {
  answerType: 'application/json',
  stored: true,
  authMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  refuse({ jwks, client_name: name }) {
    if (typeof jwks === 'string') return JWKS_TEXT;
    return name === undefined || name === null ? NAME_MISSING : undefined;
  },
  warnings: ({ contacts }) =>
    contacts === undefined
      ? [phpWarning('Undefined array key "contacts"', REPOSITORY_FILE, 62)]
      : [],
};

const JWKS_TEXT: Failure = badRequest(
  'Unexpected value for parameter "jwks": expecting "array", got "string".',
  'oauth2/authorize.php',
  {
    code: '0',
    frames: [
      [CONTROLLER_FILE, 342, 'Symfony\\Component\\HttpFoundation\\ParameterBag->all'],
      REGISTRATION_CALL,
      ...OAUTH_LISTENER,
    ],
  },
);

const INSERT = `Insert failed. SQL error Column 'client_name' cannot be null Query: INSERT INTO \`oauth_clients\` (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, NOW(), NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const NAME_MISSING: Failure = {
  status: 500,
  body: oauthError('server_error', `${UNEXPECTED}Try again. Unable to create account`),
  log: [
    phpWarning('Undefined array key "client_name"', REPOSITORY_FILE, 104),
    {
      level: 'ERROR',
      message: `OpenEMR\\RestControllers\\AuthorizationController->clientRegistration() Failed to create account Exception: ${INSERT}`,
      context: { trace: INSERT },
    },
    registrationLine(`${UNEXPECTED}Try again. Unable to create account`, [
      [
        CONTROLLER_FILE,
        382,
        'League\\OAuth2\\Server\\Exception\\OAuthServerException::serverError',
      ],
    ]),
  ],
};
