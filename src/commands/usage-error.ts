import { ProxyError } from '../base/errors.ts';

/** The command line, or what it names, cannot be used. Ends the program with exit code 2. */
export class UsageError extends ProxyError {
  override readonly name = 'UsageError';
  /** What to do about it, as an imperative. */
  readonly remedy: string | undefined;

  constructor(message: string, remedy?: string, options: { cause?: unknown } = {}) {
    super('usage-invalid', message, options);
    this.remedy = remedy;
  }
}
