import type { RegistrationSession } from '../registration/session.ts';
import type { InitArgs } from './arguments.ts';

/** The work of `init`. */
export interface InitSession extends RegistrationSession {
  readonly args: InitArgs;
  /** The config file, absolute. */
  readonly file: string;
  /** Called with the absolute path of each file that was made. */
  readonly onMade: (file: string) => void;
}
