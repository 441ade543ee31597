import type { Session } from '../session.ts';
import type { RegistrationArgs } from './arguments.ts';

/** The work of `init` and `register`: how the command was called, and where it puts what it makes. */
export interface RegistrationSession extends Session {
  readonly args: RegistrationArgs;
  /** Folder of `keys/` and `certs/`, absolute: that of the config file, else the working directory. */
  readonly folder: string;
}
