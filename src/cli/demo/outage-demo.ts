import { setTimeout as sleep } from 'node:timers/promises';
import {
  DOCUMENTED_NAMES,
  type GeneratedEvent,
  makeEvents,
} from '../../simulator/capillary/capillary-events.ts';
import { sendEvents } from '../../simulator/capillary/webhook-sender.ts';
import type { LedgerAnswer } from '../ledger-answer.ts';
import { CommandError } from '../command-error.ts';
import { formatBalance } from '../ledger-command.ts';
import { ORG_ID } from './demo-environment.ts';
import {
  type DemoOutcome,
  faultOf,
  formatOutcome,
  indexEvents,
  print,
  watchOutcomes,
} from './demo-outcomes.ts';
import { type ProvisionedEnvironment, setUpFromNothing } from './provisioned-environment.ts';

/** Enough that every documented name is raised, and every unusual format sent at least once. */
const RAISED_COUNT = 56;
const UNUSUAL_COUNT = 40;
const CUSTOMER_COUNT = 12;
const EVENTS_PER_SECOND = 25;
/** When and for how long the inlet answers 503. */
const OUTAGE_START_MS = 1_500;
const OUTAGE_LENGTH_MS = 3_000;
/** The whole demo takes at most so long. An event without an outcome by then is missing. */
const TIMEOUT_MS = 90_000;
const POLL_INTERVAL_MS = 50;

async function simulateOutage({ simulator }: ProvisionedEnvironment, signal: AbortSignal): Promise<void> {
  await sleep(OUTAGE_START_MS, undefined, { signal });
  print(`           --- the inlet is down: 503 for ${OUTAGE_LENGTH_MS / 1_000} s ---`);
  // oxlint-disable-next-line unicorn/no-thenable -- a key of the fault rules, never a function
  simulator.setFaults([{ on: 'inlet', then: { status: 503 } }]);
  await sleep(OUTAGE_LENGTH_MS, undefined, { signal });
  simulator.setFaults([]);
  print('           --- the inlet is up again ---');
}

/** Events in formats that Capillary does not document, as they are met in the wild. */
function sendUnusual(
  environment: ProvisionedEnvironment,
  events: readonly GeneratedEvent[],
  signal: AbortSignal,
) {
  return sendEvents({
    url: environment.webhookUrl,
    events,
    rate: EVENTS_PER_SECOND,
    duplicates: 0.2,
    disorder: 0.1,
    seed: 1,
    sign: () => environment.headers,
    signal,
  });
}

/** Waits until the data lake has everything that the inlet accepted, or has refused it. */
async function whenIngested({ simulator }: ProvisionedEnvironment, signal: AbortSignal): Promise<void> {
  while (simulator.landed().some(({ fate }) => fate?.state === 'pending'))
    await sleep(POLL_INTERVAL_MS, undefined, { signal });
}

/** What the platforms say at the end. @returns everything that is wrong */
async function compareEnds(
  { simulator, admin }: ProvisionedEnvironment,
  events: number,
  received: { readonly delivered: number; readonly failed: number },
): Promise<string[]> {
  const ledger = await admin.get<LedgerAnswer>('/ledger');
  const stats = simulator.stats();
  const lake = simulator.lake();
  const inLake = (kind: string): number => lake.filter((record) => record.kind === kind).length;
  const lost = simulator.landed().filter(({ fate }) => fate?.inLake !== true);
  print();
  print(`Capillary   ${received.delivered} webhooks accepted, ${received.failed} given up`);
  print(`the relay   ${formatBalance(ledger)}`);
  print(
    `the lake    ${inLake('event')} events, ${inLake('profile')} profile records (${stats.duplicates} sent again), ${lost.length} lost; tokens minted: ${stats.mints}`,
  );
  const faults = lost.map(({ id, dropped }) => `${id} is not in the data lake: ${dropped.join(', ')}`);
  if (received.failed > 0) faults.push(`${received.failed} webhooks were not accepted`);
  if (!ledger.balanced) faults.push('the ledger does not balance');
  if (ledger.accepted !== events) faults.push(`${events} events, but ${ledger.accepted} accepted`);
  return faults;
}

/** Raises all events and prints their outcomes. @returns everything that went wrong */
async function runScenario(environment: ProvisionedEnvironment, signal: AbortSignal): Promise<string[]> {
  const { simulator } = environment;
  const run = simulator.capillary.runs.start({
    count: RAISED_COUNT,
    rate: EVENTS_PER_SECOND,
    names: DOCUMENTED_NAMES,
    customers: CUSTOMER_COUNT,
    seed: 1,
    awkward: 0,
  });
  const unusual = makeEvents({
    count: UNUSUAL_COUNT,
    customers: CUSTOMER_COUNT,
    orgId: ORG_ID,
    awkward: 1,
    seed: 2,
  });
  const outage = simulateOutage(environment, signal);
  const sent = sendUnusual(environment, unusual, signal);
  const expected = indexEvents([...(await run.raised), ...unusual]);
  const faults: string[] = [];
  const onOutcome = (outcome: DemoOutcome): void => {
    print(formatOutcome(outcome));
    const fault = faultOf(outcome);
    if (fault !== undefined) faults.push(fault);
  };
  const [missing, report, progress] = await Promise.all([
    watchOutcomes(environment, expected, onOutcome, signal),
    sent,
    run.settled(signal),
    outage,
  ]);
  for (const identity of missing) faults.push(`no outcome for ${expected.get(identity)?.name}`);
  await whenIngested(environment, signal);
  const received = {
    delivered: progress.accepted + report.sent - report.givenUp,
    failed: progress.givenUp + report.givenUp,
  };
  return [...faults, ...(await compareEnds(environment, expected.size, received))];
}

/**
 * Both ends set up from nothing, then events through an outage of Adobe.
 * @throws CommandError with everything that went wrong
 */
export async function runOutageDemo(): Promise<void> {
  print('A simulated Capillary and a simulated Adobe, both empty, on loopback.');
  print();
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const environment = await setUpFromNothing(signal);
  try {
    const faults = await runScenario(environment, signal);
    if (faults.length > 0) throw new CommandError(faults.join('\n'));
    print('Every event is accounted for.');
  } finally {
    await environment.close();
  }
}
