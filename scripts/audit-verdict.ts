/** What to make of the outcome of `npm audit --json`. */

/** `passed`: nothing is known against the packages; `skipped`: nobody could be asked; `failed`: all else. */
export interface AuditVerdict {
  kind: 'passed' | 'skipped' | 'failed';
  /** One line, fit for the end of the step's name. */
  says: string;
}

/** What npm prints; a report, or what went wrong. */
interface AuditOutput {
  auditReportVersion?: number;
  vulnerabilities?: Readonly<Record<string, { severity: string; range: string }>>;
  message?: string;
  /** Status of the registry's answer. */
  statusCode?: number;
  error?: { code?: string; summary?: string };
}

/** The registry has no such endpoint: mirrors and caches mostly have none. */
const NO_ENDPOINT: readonly number[] = [404, 405, 410, 501];
/** What npm writes of a connection that came to nothing, as opposed to one that is not trusted. */
const NOT_REACHED =
  /^network timeout at: |failed, reason: .*(?:\b(?:ECONNREFUSED|ECONNRESET|ECONNABORTED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE)\b|socket hang up)/;
const SEVERE: readonly string[] = ['high', 'critical'];

/**
 * Judges what `npm audit --audit-level=high --json` printed.
 *
 * @param output what it wrote to standard output
 * @param exitCode how it ended
 */
export function judgeAudit(output: string, exitCode: number): AuditVerdict {
  const parsed = parse(output);
  if (parsed === undefined) {
    return failed(`npm ended with exit code ${exitCode} and wrote no JSON: ${excerpt(output)}`);
  }
  const { auditReportVersion, vulnerabilities = {}, message, statusCode, error } = parsed;
  if (auditReportVersion !== undefined) {
    const severe = Object.entries(vulnerabilities)
      .filter(([, { severity }]) => SEVERE.includes(severity))
      .map(([name, { severity, range }]) => `${name} ${range} (${severity})`);
    if (severe.length > 0) return failed(`vulnerable: ${severe.join(', ')}`);
    return exitCode === 0
      ? { kind: 'passed', says: 'no vulnerability of high or critical severity is known' }
      : failed(`npm wrote a clean report and ended with exit code ${exitCode}`);
  }
  if (statusCode !== undefined && NO_ENDPOINT.includes(statusCode)) {
    return skipped(`the registry has no audit endpoint: ${statusCode}`);
  }
  if (statusCode === undefined && message !== undefined && NOT_REACHED.test(message)) {
    return skipped(`the registry cannot be reached: ${reasonOf(message)}`);
  }
  const code = error?.code === undefined ? '' : `${error.code} `;
  const status = statusCode === undefined ? '' : `status ${statusCode}, `;
  return failed(
    `npm could not ask: ${status}${code}${excerpt(message ?? (error?.summary || output))}`,
  );
}

function parse(output: string): AuditOutput | undefined {
  try {
    const value: unknown = JSON.parse(output);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Without the registry's address, which may hold credentials. */
function reasonOf(message: string): string {
  return /failed, reason: (.*)$/s.exec(message)?.[1] ?? 'network timeout';
}

function excerpt(text: string): string {
  const line = text
    .replaceAll(/https?:\/\/\S+/g, '<url>')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return line === '' ? 'nothing' : line.slice(0, 300);
}

function skipped(says: string): AuditVerdict {
  return { kind: 'skipped', says };
}

function failed(says: string): AuditVerdict {
  return { kind: 'failed', says };
}
