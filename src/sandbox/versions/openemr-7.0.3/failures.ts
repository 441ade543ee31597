/** Failures that look the same at the token endpoint and at the API, and the parts that others are made of. */
import type { Failure } from '../failure.ts';
import { phpFatal, phpWarning } from '../php.ts';

/** An answer without a body. */
export function empty(status: number): Failure {
  return { status, body: '' };
}

/** A site whose folder has no sqlconf.php. */
export function siteUnknown(site: string): Failure {
  const path = `/var/www/localhost/htdocs/openemr/sites/${site}/sqlconf.php`;
  return {
    ...empty(500),
    contentType: 'text/html; charset=UTF-8',
    session: 'left',
    cors: false,
    log: [
      phpWarning(
        `require_once(${path}): Failed to open stream: No such file or directory`,
        'library/sqlconf.php',
        17,
      ),
      phpFatal(
        `Error: Failed opening required '${path}' (include_path='.:/usr/share/php')`,
        'library/sqlconf.php',
        17,
      ),
    ],
  };
}

/** MariaDB cannot be reached. */
export function databaseDown(): Failure {
  return {
    ...empty(500),
    contentType: 'text/html; charset=UTF-8',
    session: 'left',
    cors: false,
    log: [
      phpFatal(
        'TypeError: mysqli_query(): Argument #1 ($mysql) must be of type mysqli, bool given',
        'vendor/adodb/adodb-php/drivers/adodb-mysqli.inc.php',
        1372,
      ),
    ],
  };
}
