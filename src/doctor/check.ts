import type { RouteConfig } from '../config/schema.ts';
import type { Finding } from './result.ts';
import type { Subject } from './subject.ts';

/** One check of a route. */
export interface RouteCheck {
  /** Stable name, lower-case with hyphens. */
  readonly name: string;
  /** Names of earlier checks without which this one makes no sense: it is skipped when one failed or was skipped. */
  readonly needs: readonly string[] | ((config: RouteConfig) => readonly string[]);
  /** What is found, one finding or several; a ProxyError that it throws is a failure. May note facts for later checks. */
  run(subject: Subject): Promise<readonly Finding[]>;
}
