import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, fetch as undiciFetch } from 'undici';
import { createRandom, type Random, randomInteger, shuffled } from '../../../../src/simulator/random.ts';
import { eventStream } from '../event-stream.ts';
import { type ExpectedEvent, expectedMapping } from '../expectations.ts';
import { poisonRule } from '../faults.ts';
import type { RetryPolicy } from '../event-sender.ts';
import { createFaultSchedule, type FaultSchedule } from '../fault-schedule.ts';
import { createHarnessOf, type Harness, ORG_ID, type Verdict } from '../harness.ts';
import { type InjectedFault, type Recovery, recoveryOf } from './recovery.ts';
import {
  createReplicaFaults,
  REPLICA_FAULT_KINDS,
  type ReplicaFaultKind,
  type ReplicaFaults,
} from './replica-faults.ts';
import { createReplicaGroup, type ReplicaGroup } from './replica-group.ts';

/** Far more than the memory of the simulated Adobe for records that nobody has read. */
const RECORDER_POLL_INTERVAL_MS = 250;
/** As Capillary's doubling waits, but shorter: the figures are to be those of the relay. */
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 800;
/** After a silent connection to the database is given up, there is a 503. */
const RESPONSE_TIMEOUT_MS = 12_000;
/** A new relay gets its share of connections soon, as behind a gateway. */
const REQUESTS_PER_CONNECTION = 50;
/** Time after a measured fault in which no other one happens. */
const MEASURED_MS = 15_000;
/** A fault is watched at least for this time. */
const MIN_WATCH_MS = 2_000;
/** A fault waits so long for a relay or a server that it can hit. */
const MAX_WAIT_MS = 5_000;
/** What was accepted longer ago than this has landed, if nothing is wrong. */
const CALM_MS = 500;

/** The worst that a fault of a kind may cost, ms. */
const LIMITS: Partial<
  Record<ReplicaFaultKind, Partial<Record<'gapMs' | 'acceptingMs' | 'landingMs', number>>>
> = {
  'relay killed': { gapMs: 1_000, landingMs: 10_000 },
  'fail-over': { acceptingMs: 15_000, landingMs: 15_000 },
};

export interface ReplicaSoakOptions {
  readonly seed: number;
  readonly replicas: number;
  /** How long events are posted; longer if the measured faults need more time. */
  readonly durationMs: number;
  /** Kinds of the faults that happen alone and are measured, in this order. */
  readonly measured: readonly ReplicaFaultKind[];
  /** Longest time between two faults that may overlap. */
  readonly maxPauseMs: number;
  readonly maxStopMs: number;
  readonly postsPerSecond: number;
  readonly poisonIdPrefix?: string | undefined;
  /** The simulated Adobe has faults too, so that what lands late may be its fault. */
  readonly adobeFaults: boolean;
  /** Whether a recovery that takes too long is a finding; not on a machine that others use. */
  readonly hasLimits: boolean;
  readonly settleTimeoutMs: number;
  /** See `ReplicaGroupOptions`. */
  readonly logs?: string | undefined;
  readonly log: (text: string) => void;
}

export interface ReplicaSoakResult extends Verdict {
  readonly harness: Omit<Harness<ReplicaGroup>, 'verify' | 'close'>;
  readonly injected: readonly InjectedFault[];
  readonly recoveries: readonly Recovery[];
  readonly adobeFaults: FaultSchedule | undefined;
}

function retryPolicy(mayBeLate: () => boolean): RetryPolicy {
  const dispatcher = new Agent({ maxRequestsPerClient: REQUESTS_PER_CONNECTION });
  return {
    delayMs: (attempts) => Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (attempts - 1)),
    responseTimeoutMs: RESPONSE_TIMEOUT_MS,
    mayBeLate,
    fetch: ((url: string, init: object) =>
      undiciFetch(url, { ...init, dispatcher })) as unknown as typeof fetch,
  };
}

/** Resolves once what was accepted since then has landed, or at the end of the time. */
async function untilLanded(harness: Harness<unknown>, sinceMs: number): Promise<void> {
  const { expectations, recorder, settings } = harness;
  const isUnsent = new WeakSet<ExpectedEvent>();
  const hasToLand = async (expected: ExpectedEvent): Promise<boolean> => {
    if (isUnsent.has(expected)) return false;
    const mapped = await expectedMapping(expected, settings);
    if (mapped.outcome !== 'messages') isUnsent.add(expected);
    return mapped.outcome === 'messages';
  };
  for (const deadline = sinceMs + MEASURED_MS; performance.now() < deadline; await sleep(50)) {
    await recorder.poll();
    const now = performance.now();
    const recent = expectations
      .all()
      .filter(({ acknowledgedMs = 0, isPoison }) => !isPoison && acknowledgedMs > sinceMs - CALM_MS);
    const isAccepting = recent.some(({ acknowledgedMs = 0 }) => acknowledgedMs > sinceMs + MIN_WATCH_MS);
    const missing = recent.filter(
      ({ acknowledgedMs = 0, landedMs }) => landedMs === undefined && acknowledgedMs < now - CALM_MS,
    );
    const isMissing = await Promise.all(missing.map(hasToLand));
    if (isAccepting && !isMissing.includes(true)) return;
  }
}

/** Each kind equally often, in random order. */
function* kindsInTurn(random: Random): Generator<ReplicaFaultKind, never> {
  for (;;) yield* shuffled(random, REPLICA_FAULT_KINDS);
}

interface MeasuredFault {
  readonly fault: InjectedFault;
  /** Until it was over and everything had landed. */
  readonly windowMs: number;
}

async function injectAlone(
  faults: ReplicaFaults,
  kinds: readonly ReplicaFaultKind[],
  harness: Harness<ReplicaGroup>,
): Promise<MeasuredFault[]> {
  const measured: MeasuredFault[] = [];
  for (const kind of kinds) {
    const injected = faults.inject(kind);
    if (injected === undefined) continue;
    await injected.over;
    await untilLanded(harness, injected.fault.startedMs);
    const { fault } = injected;
    measured.push({ fault, windowMs: performance.now() - fault.startedMs });
    await sleep(CALM_MS);
  }
  return measured;
}

/** Injects faults that overlap, until the time is over; resolves when all of them are over. */
async function injectOverlapping(
  faults: ReplicaFaults,
  random: Random,
  { maxPauseMs, untilMs }: { readonly maxPauseMs: number; readonly untilMs: number },
): Promise<void> {
  const running: Promise<void>[] = [];
  for (const kind of kindsInTurn(random)) {
    if (performance.now() > untilMs) break;
    // Else the kinds that can happen at any time would be the most.
    for (const deadline = performance.now() + MAX_WAIT_MS; performance.now() < deadline; await sleep(50)) {
      const injected = faults.inject(kind);
      if (injected === undefined) continue;
      running.push(injected.over);
      await sleep(randomInteger(random, 0, maxPauseMs));
      break;
    }
  }
  await Promise.all(running);
}

function checkRecoveries(recoveries: readonly Recovery[], { findings }: Harness<unknown>): void {
  for (const recovery of recoveries) {
    const limits = Object.entries(LIMITS[recovery.fault.kind as ReplicaFaultKind] ?? {});
    for (const [name, limit] of limits) {
      const actual = recovery[name as 'gapMs'];
      if (actual > limit)
        findings.add(`${recovery.fault.kind}: ${name} ${Math.round(actual)}, limit ${limit}`);
    }
  }
}

/**
 * Posts events through a balancer while relays and their database fail, then verifies the result.
 * The seed decides what happens; the timing depends on the machine.
 */
export async function runReplicaSoak(options: ReplicaSoakOptions): Promise<ReplicaSoakResult> {
  const { seed, poisonIdPrefix, postsPerSecond, log } = options;
  let faults: ReplicaFaults | undefined;
  const harness = await createHarnessOf(
    { seed, poisonIdPrefix, postsPerSecond, log, retry: retryPolicy(() => faults?.mayBeLate() ?? false) },
    (config, findings) =>
      createReplicaGroup(config, findings, {
        count: options.replicas,
        connections: 8,
        log,
        logs: options.logs,
      }),
  );
  const { lifecycle: group } = harness;
  const random = createRandom(seed + 2);
  faults = createReplicaFaults({ group, random, maxStopMs: options.maxStopMs, log });
  const stopping = new AbortController();
  const { signal } = stopping;
  const adobe = createFaultSchedule({
    simulator: harness.simulator,
    random: createRandom(seed + 1),
    hangs: false,
    poisonIdPrefix,
    maxBurstMs: 2_000,
    maxQuietMs: 3_000,
    log,
    resumeDelivery: () => harness.resumeDelivery(),
  });
  try {
    if (poisonIdPrefix !== undefined) harness.simulator.setFaults([poisonRule(poisonIdPrefix)]);
    await group.start(group.replicas[0]!);
    const pollUntilAborted = async (): Promise<void> => {
      while (!signal.aborted) {
        await harness.recorder.poll();
        await sleep(RECORDER_POLL_INTERVAL_MS);
      }
    };
    const measured: MeasuredFault[] = [];
    const inject = async (): Promise<void> => {
      const untilMs = performance.now() + options.durationMs;
      await group.whenAllRun();
      measured.push(...(await injectAlone(faults, options.measured, harness)));
      await injectOverlapping(faults, random, { maxPauseMs: options.maxPauseMs, untilMs });
    };
    const work = [
      harness.postEvents(eventStream(harness.random, seed, ORG_ID), signal),
      pollUntilAborted(),
      ...(options.adobeFaults ? [adobe.injectBursts(signal)] : []),
    ];
    // The second part never resolves first, but it rejects as soon as any work fails.
    await Promise.race([inject(), Promise.all(work)]);
    stopping.abort();
    await Promise.all(work);
    const verdict = await harness.verify(options.settleTimeoutMs);
    const all = harness.expectations.all();
    const recoveries = measured.map(({ fault, windowMs }) => recoveryOf(fault, windowMs, all));
    if (options.hasLimits && !options.adobeFaults) checkRecoveries(recoveries, harness);
    return {
      ...verdict,
      findings: harness.findings.list(),
      harness,
      injected: faults.injected,
      recoveries,
      adobeFaults: options.adobeFaults ? adobe : undefined,
    };
  } finally {
    stopping.abort();
    await harness.close();
  }
}
