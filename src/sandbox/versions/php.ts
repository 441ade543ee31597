/** Lines that PHP itself writes to the error log. */
import type { LogMessage } from './failure.ts';

/** Where OpenEMR's own container images keep the program. */
const WEB_ROOT = '/var/www/localhost/htdocs/openemr';

/** A `PHP Warning`. @param file path below the web root */
export function phpWarning(text: string, file: string, line: number): LogMessage {
  return { php: `PHP Warning:  ${text} in ${WEB_ROOT}/${file} on line ${line}` };
}

/** A call in a stack trace: file below the web root, line, what was called. */
export type PhpFrame = readonly [file: string, line: number, call: string];

/** A stack trace as `getTraceAsString` writes it, the innermost call first. */
export function phpTrace(frames: readonly PhpFrame[]): string {
  const lines = frames.map(([file, line, call]) => `${WEB_ROOT}/${file}(${line}): ${call}()`);
  return [...lines, '{main}'].map((line, index) => `#${index} ${line}`).join('\n');
}

/** A `PHP Fatal error` for a request that needs more memory than PHP gives. @param file path below the web root */
export function phpMemoryExhausted(file: string, line: number): LogMessage {
  return {
    php: `PHP Fatal error:  Allowed memory size of 268435456 bytes exhausted (tried to allocate 2097152 bytes) in ${WEB_ROOT}/${file} on line ${line}`,
  };
}

/** A `PHP Fatal error` for an exception that was not caught. @param file path below the web root */
export function phpFatal(exception: string, file: string, line: number): LogMessage {
  const path = `${WEB_ROOT}/${file}`;
  return {
    php: `PHP Fatal error:  Uncaught ${exception} in ${path}:${line}\nStack trace:\n#0 {main}\n  thrown in ${path} on line ${line}`,
  };
}

/** PHP's own warning before a form that it threw away. @param bytes of the form @param limit `post_max_size` in bytes */
export function phpPostTooLong(bytes: number, limit: number): LogMessage {
  const text = `PHP Request Startup: POST Content-Length of ${bytes} bytes exceeds the limit of ${limit} bytes`;
  return { php: `PHP Warning:  ${text} in Unknown on line 0` };
}
