/** What may go wrong with a server while the load goes on, and what a client may then be answered. */
import type { FaultSettings } from '../../../src/sandbox/index.ts';
import type { RelayMode } from '../program/relay.ts';
import type { World } from '../program/world.ts';

/** A fault that is switched on for a while. */
export interface Fault {
  name: string;
  /** For the faults page of the sandbox. */
  sandbox?: Partial<FaultSettings>;
  /** For the relay before the token endpoint. */
  token?: RelayMode;
  /** For the relays before the FHIR endpoints. */
  upstream?: RelayMode;
  /** Statuses of an answer that the fault explains. */
  statuses: readonly number[];
  /** Whether it explains answers that break off. */
  breaks?: true;
}

const DEAD_TOKEN = [401];
/** No token is left, or none that works. */
const NO_TOKEN = [401, 503];

/** Faults, in the order of the table. */
export const FAULTS: readonly Fault[] = [
  // Cured by one replay each; what cannot be sent twice is told the 401.
  { name: 'tokens expired', sandbox: { 'token-expired': 'issued' }, statuses: DEAD_TOKEN },
  { name: 'tokens revoked', sandbox: { 'token-revoked': 'issued' }, statuses: DEAD_TOKEN },
  { name: 'tokens gone', sandbox: { 'token-row-gone': 'issued' }, statuses: DEAD_TOKEN },
  { name: 'every token refused', sandbox: { 'token-expired': true }, statuses: NO_TOKEN },
  { name: 'client disabled', sandbox: { 'client-disabled': true }, statuses: NO_TOKEN },
  { name: 'database down', sandbox: { 'database-down': true }, statuses: [500, ...NO_TOKEN] },
  { name: 'PHP down', sandbox: { 'php-fpm-down': true }, statuses: NO_TOKEN },
  { name: 'slow token endpoint', sandbox: { 'slow-token': 1200 }, statuses: [] },
  { name: 'slow answers', sandbox: { 'slow-answer': 300 }, statuses: [] },
  {
    name: 'resets in the body',
    sandbox: { 'reset-mid-body': true },
    statuses: [502],
    breaks: true,
  },
  // The old token is used up to its last moment, in which the server may refuse it already.
  { name: 'token endpoint resets', token: 'reset', statuses: NO_TOKEN },
  { name: 'token endpoint hangs', token: 'hang', statuses: NO_TOKEN },
  { name: 'upstream resets', upstream: 'reset', statuses: [502], breaks: true },
  { name: 'upstream hangs', upstream: 'hang', statuses: [502, 504], breaks: true },
];

/** Switches a fault on. */
export async function switchOn(fault: Fault, world: World): Promise<void> {
  if (fault.token !== undefined) world.tokenRelay.setMode(fault.token);
  if (fault.upstream !== undefined) {
    for (const { relay } of world.routes) relay.setMode(fault.upstream);
  }
  if (fault.sandbox !== undefined)
    await callFaultsPage(world, 'POST', JSON.stringify(fault.sandbox));
}

/** Switches every fault off. */
export async function switchOff(world: World): Promise<void> {
  world.tokenRelay.setMode('pass');
  for (const { relay } of world.routes) relay.setMode('pass');
  await callFaultsPage(world, 'DELETE');
}

async function callFaultsPage(world: World, method: string, body?: string): Promise<void> {
  const answer = await fetch(`${world.sandbox.url}/__sandbox/faults`, {
    method,
    ...(body === undefined ? {} : { body }),
  });
  if (answer.status !== 200) throw new Error(`the faults page answered ${answer.status}`);
  await answer.arrayBuffer();
}
