/** One thing noticed about a key or a JWK Set. */
export interface KeyFinding {
  /** Stable name, lower-case with hyphens. */
  code: string;
  /** `error`: OpenEMR refuses the client, or a secret is out; `warning`: others might; `note`: fine. */
  severity: 'error' | 'warning' | 'note';
  /** What it is, to follow the name of the file; lower-case, no full stop, no secret. */
  message: string;
  /** What to do, as an imperative. */
  fix?: string;
}

/** Puts a finding together. */
export function finding(
  code: string,
  severity: KeyFinding['severity'],
  message: string,
  fix?: string,
): KeyFinding {
  return { code, severity, message, ...(fix === undefined ? {} : { fix }) };
}
