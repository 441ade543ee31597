/**
 * How OpenEMR 8.0.0 fails in general: an exception reaches the kernel's listener, which logs it with
 * its stack trace and answers its message as JSON, always in the same shape.
 */
import type { Failure, LogMessage } from '../failure.ts';
import { type PhpFrame, phpTrace } from '../php.ts';

/** Script that a request runs through. */
export type Script = 'apis/dispatch.php' | 'oauth2/authorize.php';

const DISPATCHER = 'Symfony\\Component\\EventDispatcher\\EventDispatcher';
const KERNEL = 'Symfony\\Component\\HttpKernel\\HttpKernel';
const DISPATCHER_FILE = 'vendor/symfony/event-dispatcher/EventDispatcher.php';
const KERNEL_FILE = 'vendor/symfony/http-kernel/HttpKernel.php';
const LISTENERS = 'OpenEMR\\RestControllers\\Subscriber';
const LISTENERS_FOLDER = 'src/RestControllers/Subscriber';

/** A call of a listener's method: `->` between class and method. */
export function listenerFrame(listener: string, line: number, call: string): PhpFrame {
  return [`${LISTENERS_FOLDER}/${listener}.php`, line, call];
}

/** Name of a listener's method. */
export function listenerCall(listener: string, method: string): string {
  return `${LISTENERS}\\${listener}->${method}`;
}

/** The frames from the entry script to a listener of the kernel's request event, innermost first. */
export function listenerTrace(listener: string, script: Script): PhpFrame[] {
  return [
    [DISPATCHER_FILE, 220, listenerCall(listener, 'onKernelRequest')],
    [DISPATCHER_FILE, 56, `${DISPATCHER}->callListeners`],
    [KERNEL_FILE, 157, `${DISPATCHER}->dispatch`],
    [KERNEL_FILE, 76, `${KERNEL}->handleRaw`],
    ...applicationTrace(script),
  ];
}

/** The frames from the entry script to a route's own function. */
export function routeTrace(call: PhpFrame): PhpFrame[] {
  const handler = 'OpenEMR\\Common\\Http\\HttpRestRouteHandler';
  return [
    call,
    [
      'src/Common/Http/HttpRestRouteHandler.php',
      95,
      'OpenEMR\\RestControllers\\FHIR\\Finder\\FhirRouteFinder->{closure}',
    ],
    [KERNEL_FILE, 181, `${handler}->OpenEMR\\Common\\Http\\{closure}`],
    [KERNEL_FILE, 76, `${KERNEL}->handleRaw`],
    ...applicationTrace('apis/dispatch.php'),
  ];
}

/** The frames of the application itself. */
export function applicationTrace(script: Script): PhpFrame[] {
  return [
    ['src/RestControllers/ApiApplication.php', 123, `${KERNEL}->handle`],
    [script, 28, 'OpenEMR\\RestControllers\\ApiApplication->run'],
  ];
}

/** A frame of the event dispatcher that calls a listener within a route. */
export function securityCheckTrace(): PhpFrame[] {
  return [
    [DISPATCHER_FILE, 220, listenerCall('AuthorizationListener', 'onRestApiSecurityCheck')],
    [DISPATCHER_FILE, 56, `${DISPATCHER}->callListeners`],
    ['src/Common/Http/HttpRestRouteHandler.php', 184, `${DISPATCHER}->dispatch`],
    [
      'src/Common/Http/HttpRestRouteHandler.php',
      71,
      'OpenEMR\\Common\\Http\\HttpRestRouteHandler->checkSecurity',
    ],
  ];
}

/** The JSON of every exception. */
export function exceptionBody(message: string, code = 0): Record<string, unknown> {
  return { error: 'An error occurred', message, code };
}

/** The line that the kernel's listener writes of an exception. */
export function exceptionLine(message: string, frames: readonly PhpFrame[]): LogMessage {
  return {
    level: 'ERROR',
    message: `ExceptionHandlerListener exception ${message}`,
    context: { trace: phpTrace(frames) },
  };
}

/** An exception that was not expected. @param before lines that were written before it was thrown */
export function exception(
  status: number,
  message: string,
  frames: readonly PhpFrame[],
  options: { code?: number; before?: readonly LogMessage[] } = {},
): Failure {
  const { code = 0, before = [] } = options;
  return {
    status,
    body: exceptionBody(message, code),
    log: [...before, exceptionLine(message, frames)],
  };
}

/** An exception of Symfony's own, which the kernel wraps into a 400. */
export function badRequest(
  message: string,
  script: Script,
  previous: { code: string; frames: readonly PhpFrame[] },
  before: readonly LogMessage[] = [],
): Failure {
  return {
    status: 400,
    body: exceptionBody(message),
    log: [
      ...before,
      {
        level: 'ERROR',
        message: `ExceptionHandlerListener exception ${message}`,
        context: {
          trace: phpTrace(applicationTrace(script)),
          previous: { message, code: previous.code, trace: phpTrace(previous.frames) },
        },
      },
    ],
  };
}

/** MariaDB cannot be reached: a line of HTML stands before the JSON. */
export function databaseDown(script: Script): Failure {
  const message = 'Call to a member function prepare() on bool';
  const frames: PhpFrame[] = [
    ['vendor/adodb/adodb-php/adodb.inc.php', 1613, 'ADODB_mysqli->_query'],
    ['vendor/adodb/adodb-php/drivers/adodb-mysqli.inc.php', 1235, 'ADOConnection->_Execute'],
    ['library/ADODB_mysqli_log.php', 60, 'ADODB_mysqli->execute'],
    ['library/sql.inc.php', 234, 'ADODB_mysqli_log->ExecuteNoLog'],
    ['library/translation.inc.php', 65, 'sqlStatementNoLog'],
    ['library/htmlspecialchars.inc.php', 225, 'xl'],
    ['library/htmlspecialchars.inc.php', 245, 'hsc_private_xl_or_warn'],
    ['library/sql.inc.php', 581, 'xlt'],
    ['library/sql.inc.php', 98, 'HelpfulDie'],
    ...listenerTrace('SiteSetupListener', script),
  ];
  return {
    status: 500,
    body: `Check that you can ping the server 127.0.0.1.<p>${JSON.stringify(exceptionBody(message))}`,
    contentType: 'application/json',
    log: [exceptionLine(message, frames)],
  };
}

/** A path whose first segment is no site. @param pathInfo path below the script */
export function siteError(pathInfo: string, script: Script): Failure {
  const message =
    'OpenEMR Error: api site error, so forced exit.  Please ensure that the site is set up correctly in the OpenEMR configuration.';
  return {
    ...exception(400, message, listenerTrace('SiteSetupListener', script), {
      before: [
        { php: `OpenEMR Error - api site error, so forced exit siteId: , pathInfo: ${pathInfo}` },
      ],
    }),
    session: 'none',
  };
}

/** An `APICSRFTOKEN` field: the request is taken for one of OpenEMR's own pages, whose session is over. */
export const LOGIN_PAGE: Failure = {
  status: 200,
  body: `<script>
 // Find the top level window for this instance of OpenEMR, set a flag indicating
 // session timeout has occurred, and reload the login page into it.  This is so
 // that beforeunload event handlers will not obstruct the process in this case.
 var w = window;
 while (w.opener) { // in case we are in a dialog window
  var wtmp = w;
  w = w.opener;
  wtmp.close();
 }
     w.top.timed_out = true;
 w.top.location.href = '/interface/login_screen.php?error=1&site=default';
</script>
    `,
  session: 'local',
  cors: false,
  log: [
    {
      php: 'PHP Warning:  Undefined global variable $lastidado in /var/www/localhost/htdocs/openemr/library/sql.inc.php on line 205',
    },
  ],
};

/** An `X-HTTP-Method-Override` that is no method. @param path of the request */
export function overrideRefused(method: string, path: string): Failure {
  const script: Script = path.startsWith('/oauth2/') ? 'oauth2/authorize.php' : 'apis/dispatch.php';
  const strategy = 'OpenEMR\\RestControllers\\Authorization\\SkipAuthorizationStrategy';
  return badRequest(`Invalid method override "${method}".`, script, {
    code: '0',
    frames: [
      [
        'src/RestControllers/Authorization/SkipAuthorizationStrategy.php',
        48,
        'Symfony\\Component\\HttpFoundation\\Request->getMethod',
      ],
      listenerFrame('AuthorizationListener', 231, `${strategy}->shouldProcessRequest`),
      listenerFrame(
        'AuthorizationListener',
        123,
        listenerCall('AuthorizationListener', 'shouldProcessRequest'),
      ),
      ...listenerTrace('AuthorizationListener', script),
    ],
  });
}
