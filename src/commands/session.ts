import { createDialogue, type Dialogue } from './dialogue.ts';
import type { Runtime } from './runtime.ts';

/** What a command that talks with a person works with: the runtime, and a dialogue on it. */
export interface Session extends Runtime {
  readonly dialogue: Dialogue;
}

/** Begins one. */
export async function openSession(runtime: Runtime): Promise<Session> {
  return { ...runtime, dialogue: await createDialogue(runtime) };
}
