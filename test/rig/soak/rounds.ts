/** The rounds of a soak: load without a fault, load with one, recovery, rest and a look at what is held. */
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

import type { Random } from '../../support/random.ts';
import { openEventStream } from '../program/event-stream.ts';
import type { World } from '../program/world.ts';
import { callProxy } from './client.ts';
import { heldBytes, type Sample } from './growth.ts';
import { readMetrics } from './metrics-page.ts';
import { pickKind } from './mix.ts';
import { type Fault, FAULTS, switchOff, switchOn } from './scenario.ts';
import { noteCall, type Tally } from './tally.ts';

/** A soak at work. */
export interface Soak {
  world: World;
  random: Random;
  tally: Tally;
  patientIds: readonly string[];
  samples: Sample[];
  failures: string[];
}

/** How long the parts of a round take, in milliseconds. */
export interface RoundTimes {
  calmMs: number;
  faultMs: number;
}

const WORKERS = 12;
/** A client thinks between two calls; the driver and the sandbox share the machine with the proxy. */
const THINK_MS = 20;
/** Back-off after a failing token endpoint goes up to 30 s. */
const RECOVERY_MS = 60_000;
const REST_MS = 10_000;

/** One round; adds a sample. */
export async function runRound(
  soak: Soak,
  number: number,
  fault: Fault,
  { calmMs, faultMs }: RoundTimes,
  startedAt: number,
): Promise<void> {
  const { world, tally, random } = soak;
  const leave = number % 2 === 0 ? openEventStream(world) : undefined;
  const reload = (): void => {
    world.configure({ maxConnections: 64 + (number % 64) });
    tally.reloads += 1;
  };
  if (random.chance(0.5)) setTimeout(reload, calmMs / 3);
  await load(soak, calmMs, undefined);
  await switchOn(fault, world);
  tally.faultsPlayed += 1;
  if (random.chance(0.2)) setTimeout(reload, faultMs / 3);
  await load(soak, faultMs, fault);
  await switchOff(world);
  await recover(soak, fault);
  leave?.();
  await rest(soak);
  soak.samples.push(await takeSample(world, performance.now() - startedAt));
}

/**
 * The inspector's exchanges are looked at by themselves: what they hold goes up and down with the
 * kind of the last 500 requests, by more than what a small leak would add.
 */
async function takeSample({ program, apiKey }: World, atMs: number): Promise<Sample> {
  const before = await program.holdings();
  const answer = await fetch(`http://127.0.0.1:${program.port}/_proxy/exchanges`, {
    method: 'DELETE',
    headers: { 'X-API-Key': apiKey, Connection: 'close' },
  });
  if (answer.status !== 204) throw new Error(`the exchanges were not forgotten: ${answer.status}`);
  const after = await program.holdings();
  return { ...after, atMs, keptBytes: heldBytes(before) - heldBytes(after) };
}

/** Calls until the time is over and the last answer is there. */
async function load(soak: Soak, ms: number, fault: Fault | undefined): Promise<void> {
  const { world, random, tally, patientIds } = soak;
  const keepAlive = new Agent({ keepAlive: true, maxSockets: WORKERS });
  const endAt = performance.now() + ms;
  const worker = async (): Promise<void> => {
    while (performance.now() < endAt && world.program.ended() === undefined) {
      const kind = pickKind(random);
      const call = kind.build(random, patientIds);
      const agent = kind.fresh === true ? new Agent({ keepAlive: false }) : keepAlive;
      noteCall(tally, kind.name, await callProxy(call, agent, world), call.expected, fault);
      await delay(random.below(2 * THINK_MS));
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, worker));
  keepAlive.destroy();
}

/**
 * Every route must work again by itself. After a fault that kept tokens away that is not seen by an
 * answer, which the old token may still get while the back-off lasts, but by a new token.
 */
async function recover({ world, tally, patientIds, failures }: Soak, fault: Fault): Promise<void> {
  const startedAt = performance.now();
  const agent = new Agent({ keepAlive: false });
  const before = await readMetrics(world);
  for (const { path } of world.routes) {
    const call = { path: `${path}/Patient/${patientIds[0]}`, expected: [200] };
    let last = '';
    for (;;) {
      const { status, error } = await callProxy(call, agent, world);
      const isRenewed = async (): Promise<boolean> =>
        !fault.statuses.includes(503) ||
        (await readMetrics(world)).granted(path) > before.granted(path);
      if (status === 200 && error === undefined && (await isRenewed())) break;
      last = error ?? `${status}, no new token`;
      if (performance.now() - startedAt > RECOVERY_MS) {
        failures.push(`"${path}" does not recover from "${fault.name}": ${last}`);
        return;
      }
      await delay(100);
    }
  }
  tally.longestRecoveryMs = Math.max(tally.longestRecoveryMs, performance.now() - startedAt);
}

/** Nothing may be left of the calls once they are over. */
async function rest({ world, failures }: Soak): Promise<void> {
  const endAt = performance.now() + REST_MS;
  for (;;) {
    const { inFlight, clients, running, waiting } = await readMetrics(world);
    // One client is this question.
    if (inFlight === 0 && clients <= 1 && running === 0 && waiting === 0) return;
    if (performance.now() > endAt) {
      failures.push(
        `not at rest: ${inFlight} in flight, ${clients} client sockets, ${running} requests running, ${waiting} waiting`,
      );
      return;
    }
    await delay(100);
  }
}

/** Faults in turn, shuffled: each is played once before one is played again. */
export function* faultsInTurn(random: Random): Generator<Fault, never> {
  for (;;) {
    const bag = [...FAULTS];
    while (bag.length > 0) yield* bag.splice(random.below(bag.length), 1);
  }
}
