/** What an administrator of OpenEMR has to do before a client can be used. */
import type { Dialogue } from '../dialogue.ts';

/** A client that waits to be enabled. */
export interface WaitingClient {
  clientId: string;
  /** As registered; undefined when that is not known. Many clients may have the same. */
  name: string | undefined;
  /** Page where clients are enabled; undefined where the server has none. */
  adminPage: string | undefined;
}

/** Where to go, what to click, and which client is meant; undefined where the server has no such page. */
export function describeEnabling({
  clientId,
  name,
  adminPage,
}: WaitingClient): string[] | undefined {
  if (adminPage === undefined) return undefined;
  const what = name === undefined ? 'the client' : `"${name}"`;
  return [
    adminPage,
    `or: log in, Admin > System > API Clients > ${what} > Enable Client`,
    `client id  ${clientId}`,
  ];
}

/** Shows what an administrator has to do; nothing where the server has no such page. */
export function showEnabling(client: WaitingClient, dialogue: Dialogue): void {
  const steps = describeEnabling(client);
  if (steps !== undefined) dialogue.note('Now an administrator has to enable the client', steps);
}
