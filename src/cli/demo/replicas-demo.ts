import { setTimeout as sleep } from 'node:timers/promises';
import { type GeneratedEvent, makeEvents } from '../../simulator/capillary/capillary-events.ts';
import type { SendReport } from '../../simulator/capillary/send-report.ts';
import { sendEvents } from '../../simulator/capillary/webhook-sender.ts';
import type { ReplicaAnswer } from '../admin-answers.ts';
import type { LedgerAnswer } from '../ledger-answer.ts';
import { CommandError } from '../command-error.ts';
import { formatBalance } from '../ledger-command.ts';
import { formatTable } from '../table.ts';
import { ORG_ID, signDemo } from './demo-environment.ts';
import {
  type DemoOutcome,
  faultOf,
  formatOutcome,
  indexEvents,
  print,
  watchOutcomes,
} from './demo-outcomes.ts';
import type { RelayProcess } from './relay-process.ts';
import { type ReplicaEnvironment, startReplicaEnvironment } from './replica-environment.ts';

/** They arrive for twelve seconds: before the kill, until the others take over, and after that. */
const EVENT_COUNT = 120;
const EVENTS_PER_SECOND = 10;
const CUSTOMER_COUNT = 24;
const KILL_AFTER_MS = 3_000;
/** Delay before a webhook that was not answered is sent again. */
const REPEAT_AFTER_MS = 200;
/** An event without an outcome after this time is missing. */
const TIMEOUT_MS = 40_000;
const POLL_INTERVAL_MS = 100;
/** Of each destination; the customers are spread over them. */
const SLOTS = 64;

/** A replica and how many of the slots it owns. */
interface Share {
  readonly relay: RelayProcess;
  readonly slots: number;
}

function slotsOf({ slots }: ReplicaAnswer): number {
  return Object.values(slots).reduce((sum, count) => sum + count, 0);
}

/** Those that run, as each of them says of itself. */
async function readShares({ relays }: ReplicaEnvironment): Promise<readonly Share[]> {
  return Promise.all(
    relays
      .filter((relay) => relay.isRunning())
      .map(async (relay) => {
        const { replicas } = await relay.admin.get<{ replicas: ReplicaAnswer[] }>('/replicas');
        return { relay, slots: replicas.filter(({ isSelf }) => isSelf).reduce((_, one) => slotsOf(one), 0) };
      }),
  );
}

/** Waits until the relays that run own all slots, each about as many as the others. */
async function whenShared(environment: ReplicaEnvironment, signal: AbortSignal): Promise<readonly Share[]> {
  for (;;) {
    const shares = await readShares(environment);
    const counts = shares.map(({ slots }) => slots);
    const isComplete = counts.reduce((sum, count) => sum + count, 0) === SLOTS;
    if (isComplete && Math.max(...counts) - Math.min(...counts) <= 1) return shares;
    if (signal.aborted) throw new CommandError(`the relays do not share all slots: ${namesOf(shares)}`);
    await sleep(POLL_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
}

function namesOf(shares: readonly Share[]): string {
  return shares.map(({ relay, slots }) => `${relay.name} ${slots}`).join(', ');
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1_000).toFixed(1);
}

/** Kills a relay while events arrive, and says when the others have its customers. */
async function killOne(environment: ReplicaEnvironment, victim: Share, signal: AbortSignal): Promise<void> {
  await sleep(KILL_AFTER_MS, undefined, { signal });
  await victim.relay.end('SIGKILL');
  const killedAt = performance.now();
  print(
    `           --- ${victim.relay.name} is killed (SIGKILL); it owned ${victim.slots} of ${SLOTS} slots ---`,
  );
  const shares = await whenShared(environment, signal);
  print(`           --- taken over after ${seconds(killedAt)} s: ${namesOf(shares)} ---`);
}

async function sendAll(
  { balancer }: ReplicaEnvironment,
  events: readonly GeneratedEvent[],
  signal: AbortSignal,
): Promise<SendReport> {
  return sendEvents({
    url: `${balancer.url}/webhooks/demo`,
    events,
    rate: EVENTS_PER_SECOND,
    duplicates: 0.1,
    disorder: 0.1,
    seed: 1,
    minDelayMs: REPEAT_AFTER_MS,
    sign: signDemo,
    signal,
  });
}

async function printReplicas(environment: ReplicaEnvironment): Promise<void> {
  const shares = await readShares(environment);
  const rows = environment.relays.map((relay) => ({
    relay,
    share: shares.find((share) => share.relay === relay),
  }));
  print(
    formatTable(rows, [
      { heading: 'REPLICA', cell: ({ relay }) => relay.name },
      { heading: 'STATE', cell: ({ share }) => (share === undefined ? 'killed' : 'running') },
      { heading: 'WEBHOOKS', cell: ({ relay }) => environment.balancer.accepted(relay.intakeUrl) },
      { heading: 'SLOTS', cell: ({ share }) => share?.slots ?? 0 },
    ]),
  );
}

/** Compares what was sent with what landed. @returns everything that is wrong */
async function checkSums(
  environment: ReplicaEnvironment,
  expected: number,
  report: SendReport,
): Promise<string[]> {
  const faults: string[] = [];
  if (report.givenUp > 0) faults.push(`${report.givenUp} webhooks were not accepted`);
  const stats = environment.simulator.stats();
  print(
    `Capillary sent ${report.sent} webhooks: ${expected} events, ${report.duplicate} of them more than once`,
  );
  print(`Adobe has ${stats.distinctIds} records (${stats.duplicates} sent again)`);
  for (const relay of environment.relays.filter((one) => one.isRunning())) {
    const ledger = await relay.admin.get<LedgerAnswer>('/ledger');
    print(`${relay.name}: ${formatBalance(ledger)}`);
    if (!ledger.balanced) faults.push(`the ledger of ${relay.name} does not balance`);
    if (ledger.accepted !== expected)
      faults.push(`${expected} events, but ${ledger.accepted} accepted by the ledger of ${relay.name}`);
  }
  return faults;
}

async function runScenario(environment: ReplicaEnvironment, signal: AbortSignal): Promise<string[]> {
  const shares = await whenShared(environment, signal);
  print(`           --- ready; slots of customers: ${namesOf(shares)} ---`);
  const [first, victim] = shares;
  if (first === undefined || victim === undefined) throw new Error('there must be two replicas');
  const events = makeEvents({ count: EVENT_COUNT, customers: CUSTOMER_COUNT, orgId: ORG_ID, seed: 1 });
  const expected = indexEvents(events);
  const faults: string[] = [];
  const onOutcome = (outcome: DemoOutcome): void => {
    print(formatOutcome(outcome));
    const fault = faultOf(outcome);
    if (fault !== undefined) faults.push(fault);
  };
  const { admin } = first.relay;
  const { simulator } = environment;
  const [report, missing] = await Promise.all([
    sendAll(environment, events, signal),
    watchOutcomes({ admin, simulator }, expected, onOutcome, signal),
    killOne(environment, victim, signal),
  ]);
  for (const identity of missing) faults.push(`no outcome for ${expected.get(identity)?.name}`);
  print();
  await printReplicas(environment);
  print();
  return [...faults, ...(await checkSums(environment, expected.size, report))];
}

/**
 * Several relays on one database, of which one is killed.
 * @throws CommandError with everything that went wrong
 */
export async function runReplicasDemo(count: number): Promise<void> {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort());
  const environment = await startReplicaEnvironment(count);
  const { database } = environment;
  try {
    print(
      `A simulated Capillary, ${count} relays on one ${database} database, and a simulated Adobe, on loopback.`,
    );
    print();
    const signal = AbortSignal.any([interrupt.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const faults = await runScenario(environment, signal);
    if (faults.length > 0) throw new CommandError(faults.join('\n'));
    print('Every event is accounted for.');
  } catch (error) {
    if (interrupt.signal.aborted) throw new CommandError('the demo was interrupted');
    throw error;
  } finally {
    await environment.close();
  }
}
