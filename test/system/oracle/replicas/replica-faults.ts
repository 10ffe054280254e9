import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, randomInteger, randomOf } from '../../../../src/simulator/random.ts';
import type { InjectedFault } from './recovery.ts';
import type { Replica, ReplicaGroup } from './replica-group.ts';

export const REPLICA_FAULT_KINDS = [
  'relay killed',
  'relay stopped',
  'relay terminated',
  'fail-over',
  'server restarted',
  'connections cut',
  'connections silent',
] as const;
export type ReplicaFaultKind = (typeof REPLICA_FAULT_KINDS)[number];

/** Of these, only one can happen at a time: they need the standby. */
const OF_THE_SERVER: readonly ReplicaFaultKind[] = ['fail-over', 'server restarted'];

const MAX_SILENCE_MS = 12_000;
/** What was sent to a stopped relay may be given up so long after it goes on. */
const LATE_MS = 12_000;

export interface ReplicaFaultsOptions {
  readonly group: ReplicaGroup;
  readonly random: Random;
  /** Longest time for which a relay is stopped. */
  readonly maxStopMs: number;
  readonly log: (text: string) => void;
}

/** What can happen to relays and to their database. */
export interface ReplicaFaults {
  readonly injected: readonly InjectedFault[];
  /** Whether a relay is stopped, or was until a moment ago, so that a response may be late. */
  mayBeLate(): boolean;
  /**
   * Injects a fault of a kind.
   * @returns undefined if nothing can have it now; else the fault and when it is over, such as when
   *   the relay that was killed is ready again
   */
  inject(kind: ReplicaFaultKind): { readonly fault: InjectedFault; readonly over: Promise<void> } | undefined;
}

interface Started {
  readonly what: string;
  readonly over: Promise<void>;
}

export function createReplicaFaults({ group, random, maxStopMs, log }: ReplicaFaultsOptions): ReplicaFaults {
  const injected: InjectedFault[] = [];
  let isServerDisturbed = false;
  let stopped = 0;
  let lateUntilMs = 0;

  /** At least one relay is left to itself. */
  const victim = (): Replica | undefined => {
    const free = group.replicas.filter(({ isDisturbed }) => !isDisturbed);
    return free.length < 2 ? undefined : randomOf(random, free);
  };

  const restart = async (replica: Replica, end: Promise<void>): Promise<void> => {
    const pauseMs = randomInteger(random, 0, 4_000);
    await end;
    await sleep(pauseMs);
    await group.start(replica);
  };

  const stop = async (replica: Replica, ms: number): Promise<void> => {
    stopped += 1;
    group.freeze(replica);
    await sleep(ms);
    group.thaw(replica);
    stopped -= 1;
    lateUntilMs = Math.max(lateUntilMs, performance.now() + LATE_MS);
  };

  const silence = async (replica: Replica, ms: number): Promise<void> => {
    replica.isDisturbed = true;
    for (const proxy of replica.proxies) proxy.silence();
    await sleep(ms);
    // What was held back does not arrive any more, as after a firewall that forgot the connections.
    for (const proxy of replica.proxies) {
      proxy.cut();
      proxy.restore();
    }
    replica.isDisturbed = false;
  };

  const ofServer = async (work: Promise<void>): Promise<void> => {
    isServerDisturbed = true;
    await work;
    await group.database.whenReplicated();
    isServerDisturbed = false;
  };

  const startOfServer = (kind: ReplicaFaultKind): Started | undefined => {
    if (isServerDisturbed) return undefined;
    const { database } = group;
    return { what: kind, over: ofServer(kind === 'fail-over' ? database.failOver() : database.restart()) };
  };

  const startOfRelay = (kind: ReplicaFaultKind): Started | undefined => {
    const replica = victim();
    if (replica === undefined) return undefined;
    const what = `${kind}: ${replica.name}`;
    if (kind === 'relay killed') return { what, over: restart(replica, group.kill(replica)) };
    if (kind === 'relay terminated') return { what, over: restart(replica, group.shutDown(replica)) };
    if (kind === 'relay stopped') {
      const ms = randomInteger(random, maxStopMs / 30, maxStopMs);
      return { what: `${what} for ${ms} ms`, over: stop(replica, ms) };
    }
    if (kind === 'connections silent') {
      const ms = randomInteger(random, 500, Math.min(maxStopMs, MAX_SILENCE_MS));
      return { what: `${what} for ${ms} ms`, over: silence(replica, ms) };
    }
    for (const proxy of replica.proxies) proxy.cut();
    return { what, over: Promise.resolve() };
  };

  const untilOver = async ({ what, over }: Started, fault: InjectedFault): Promise<void> => {
    await over;
    fault.endedMs = performance.now();
    log(`over after ${Math.round(fault.endedMs - fault.startedMs)} ms: ${what}`);
  };

  return {
    injected,
    mayBeLate: () => stopped > 0 || performance.now() < lateUntilMs,
    inject(kind) {
      const fault: InjectedFault = { kind, startedMs: performance.now(), endedMs: Infinity };
      const started = OF_THE_SERVER.includes(kind) ? startOfServer(kind) : startOfRelay(kind);
      if (started === undefined) return undefined;
      injected.push(fault);
      log(started.what);
      const over = untilOver(started, fault);
      // Whoever waits for it sees the rejection.
      over.catch(() => undefined);
      return { fault, over };
    },
  };
}
