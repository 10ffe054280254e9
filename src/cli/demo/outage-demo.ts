import { setTimeout as sleep } from 'node:timers/promises';
import {
  DOCUMENTED_NAMES,
  type GeneratedEvent,
  makeEvents,
} from '../../simulator/capillary/capillary-events.ts';
import { sendEvents } from '../../simulator/capillary/webhook-sender.ts';
import type { LedgerAnswer } from '../admin-answers.ts';
import { CommandError } from '../command-error.ts';
import { formatBalance } from '../ledger-command.ts';
import { type DemoEnvironment, ORG_ID, signDemo, startDemoEnvironment } from './demo-environment.ts';
import {
  type DemoOutcome,
  faultOf,
  formatOutcome,
  indexEvents,
  print,
  watchOutcomes,
} from './demo-outcomes.ts';

/** Enough that every documented name is sent plain, and every unusual format at least once. */
const EVENT_COUNT = 80;
const CUSTOMER_COUNT = 12;
const EVENTS_PER_SECOND = 20;
/** When and for how long the inlet answers 503. */
const OUTAGE_START_MS = 1_500;
const OUTAGE_LENGTH_MS = 3_000;
/** An event without an outcome after this time is missing. */
const TIMEOUT_MS = 50_000;

async function simulateOutage({ simulator }: DemoEnvironment, signal: AbortSignal): Promise<void> {
  await sleep(OUTAGE_START_MS, undefined, { signal });
  print(`           --- the inlet is down: 503 for ${OUTAGE_LENGTH_MS / 1_000} s ---`);
  // oxlint-disable-next-line unicorn/no-thenable -- a key of the fault rules, never a function
  simulator.setFaults([{ on: 'inlet', then: { status: 503 } }]);
  await sleep(OUTAGE_LENGTH_MS, undefined, { signal });
  simulator.setFaults([]);
  print('           --- the inlet is up again ---');
}

function generateDemoEvents(): GeneratedEvent[] {
  const common = { count: EVENT_COUNT / 2, customers: CUSTOMER_COUNT, orgId: ORG_ID };
  return [
    ...makeEvents({ ...common, names: DOCUMENTED_NAMES, awkward: 0, seed: 1 }),
    ...makeEvents({ ...common, awkward: 1, seed: 2 }),
  ];
}

/** Sends all events and prints their outcomes. @returns everything that went wrong */
async function runScenario(environment: DemoEnvironment, signal: AbortSignal): Promise<string[]> {
  const events = generateDemoEvents();
  const expected = indexEvents(events);
  const faults: string[] = [];
  const onOutcome = (outcome: DemoOutcome): void => {
    print(formatOutcome(outcome));
    const fault = faultOf(outcome);
    if (fault !== undefined) faults.push(fault);
  };
  const [report, missing] = await Promise.all([
    sendEvents({
      url: environment.webhookUrl,
      events,
      rate: EVENTS_PER_SECOND,
      duplicates: 0.2,
      disorder: 0.1,
      seed: 1,
      sign: signDemo,
      signal,
    }),
    watchOutcomes(environment, expected, onOutcome, signal),
    simulateOutage(environment, signal),
  ]);
  for (const identity of missing) faults.push(`no outcome for ${expected.get(identity)?.name}`);
  if (report.givenUp > 0) faults.push(`${report.givenUp} webhooks were not accepted`);

  const ledger = await environment.admin.get<LedgerAnswer>('/ledger');
  const stats = environment.simulator.stats();
  print();
  print(`Capillary sent ${report.sent} webhooks: ${expected.size} events, ${report.duplicate} of them twice`);
  print(
    `Adobe has ${stats.distinctIds} records (${stats.duplicates} sent again), ${stats.mints} token minted`,
  );
  print(formatBalance(ledger));
  if (!ledger.balanced) faults.push('the ledger does not balance');
  if (ledger.accepted !== expected.size)
    faults.push(`${expected.size} events, but ${ledger.accepted} accepted`);
  return faults;
}

/** One relay, through an outage of Adobe. @throws CommandError with everything that went wrong */
export async function runOutageDemo(): Promise<void> {
  print('A simulated Capillary, the relay, and a simulated Adobe, on loopback.');
  print();
  const environment = await startDemoEnvironment();
  try {
    const faults = await runScenario(environment, AbortSignal.timeout(TIMEOUT_MS));
    if (faults.length > 0) throw new CommandError(faults.join('\n'));
    print('Every event is accounted for.');
  } finally {
    await environment.close();
  }
}
