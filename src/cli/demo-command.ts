import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { parseEvent } from '../capillary/event-parser.ts';
import {
  DOCUMENTED_NAMES,
  type GeneratedEvent,
  makeEvents,
} from '../simulator/capillary/capillary-events.ts';
import type { LandedRecord } from '../simulator/adobe/landed-store.ts';
import { sendEvents } from '../simulator/capillary/webhook-sender.ts';
import { signRequest } from '../simulator/capillary/request-signature.ts';
import { xdmId } from '../xdm/xdm-record.ts';
import type { EventAnswer, LedgerAnswer } from './admin-answers.ts';
import { CommandError } from './command-error.ts';
import { type DemoEnvironment, startDemoEnvironment } from './demo-environment.ts';
import { formatBalance } from './ledger-command.ts';

/** Enough that every documented name is sent plain, and every unusual format at least once. */
const EVENT_COUNT = 80;
const CUSTOMER_COUNT = 12;
const EVENTS_PER_SECOND = 20;
/** When and for how long the inlet answers 503. */
const OUTAGE_START_MS = 1_500;
const OUTAGE_LENGTH_MS = 3_000;
/** An event without an outcome after this time is missing. */
const TIMEOUT_MS = 50_000;
const POLL_INTERVAL_MS = 50;
/** Largest page of the admin API. */
const PAGE_SIZE = 500;

/** The outcome of one event of the demo. */
interface DemoOutcome {
  readonly event: GeneratedEvent;
  readonly answer: EventAnswer;
  /** Its records in the simulated Adobe: the event, and the profile record if it has one. */
  readonly landed: readonly LandedRecord[];
}

function print(line = ''): void {
  void process.stdout.write(`${line}\n`);
}

/** Events by identity: each must have exactly one outcome. */
function indexEvents(events: readonly GeneratedEvent[]): ReadonlyMap<string, GeneratedEvent> {
  return new Map(
    events.map((event): [string, GeneratedEvent] => {
      const parsed = parseEvent(Buffer.from(event.body), {});
      if (!parsed.ok) throw new Error(`the demo generated an invalid event: ${parsed.detail}`);
      return [parsed.event.identity, event];
    }),
  );
}

/**
 * Polls the relay's admin API and the simulator until each event has its outcome.
 * @param onOutcome called once per event, in the order of settlement
 * @returns identities without an outcome when the signal aborted
 */
async function watchOutcomes(
  environment: DemoEnvironment,
  expected: ReadonlyMap<string, GeneratedEvent>,
  onOutcome: (outcome: DemoOutcome) => void,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const missing = new Set(expected.keys());
  while (missing.size > 0 && !signal.aborted) {
    const { events } = await environment.admin.get<{ events: EventAnswer[] }>('/events', {
      limit: PAGE_SIZE,
    });
    const settled = events
      .filter((answer) => answer.state !== 'pending' && missing.has(answer.identity ?? ''))
      .toSorted((a, b) => (a.settledAt ?? '').localeCompare(b.settledAt ?? ''));
    for (const answer of settled) {
      const identity = answer.identity ?? '';
      const event = expected.get(identity);
      if (event === undefined) continue;
      missing.delete(identity);
      onOutcome({ event, answer, landed: environment.simulator.landed({ id: xdmId(identity) }) });
    }
    await sleep(POLL_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
  return missing;
}

function formatOutcome({ event, answer, landed }: DemoOutcome): string {
  const ms = Date.parse(answer.settledAt ?? '') - Date.parse(answer.receivedAt);
  const name = event.variant === 'plain' ? event.name : `${event.name} (${event.variant})`;
  const eventType = landed.find((record) => record.kind === 'event')?.eventType ?? '';
  const profile = landed.some((record) => record.kind === 'profile') ? ' + profile' : '';
  const outcome =
    answer.state === 'delivered' ? `landed   ${eventType}${profile}` : `${answer.state}  ${answer.reason}`;
  return `${String(ms).padStart(6)} ms  ${name.padEnd(38)} received → ${outcome}`;
}

/** Why an outcome is wrong; undefined for a correct one. */
function faultOf({ answer, landed }: DemoOutcome): string | undefined {
  if (answer.state === 'ignored') return undefined;
  if (answer.state !== 'delivered')
    return `${answer.receipt} is ${answer.state}: ${answer.reason} ${answer.detail ?? ''}`;
  const dropped = landed.find((record) => record.dropped.length > 0);
  if (dropped !== undefined) return `Adobe would drop ${dropped.id}: ${dropped.dropped.join(', ')}`;
  return landed.length < answer.delivered.length ? `${answer.receipt} did not land` : undefined;
}

async function simulateOutage({ simulator }: DemoEnvironment, signal: AbortSignal): Promise<void> {
  await sleep(OUTAGE_START_MS, undefined, { signal });
  print(`           --- the inlet is down: 503 for ${OUTAGE_LENGTH_MS / 1_000} s ---`);
  // oxlint-disable-next-line unicorn/no-thenable -- a key of the fault rules, never a function
  simulator.setFaults([{ on: 'inlet', then: { status: 503 } }]);
  await sleep(OUTAGE_LENGTH_MS, undefined, { signal });
  simulator.setFaults([]);
  print('           --- the inlet is up again ---');
}

function generateDemoEvents(orgId: number): GeneratedEvent[] {
  const common = { count: EVENT_COUNT / 2, customers: CUSTOMER_COUNT, orgId };
  return [
    ...makeEvents({ ...common, names: DOCUMENTED_NAMES, awkward: 0, seed: 1 }),
    ...makeEvents({ ...common, awkward: 1, seed: 2 }),
  ];
}

/** Sends all events and prints their outcomes. @returns everything that went wrong */
async function runScenario(environment: DemoEnvironment, signal: AbortSignal): Promise<string[]> {
  const { orgId, verifier, webhookUrl: url } = environment;
  const events = generateDemoEvents(orgId);
  const expected = indexEvents(events);
  const faults: string[] = [];
  const onOutcome = (outcome: DemoOutcome): void => {
    print(formatOutcome(outcome));
    const fault = faultOf(outcome);
    if (fault !== undefined) faults.push(fault);
  };
  const sign = (body: string, now: number) => signRequest(verifier, body, now);
  const [report, missing] = await Promise.all([
    sendEvents({
      url,
      events,
      rate: EVENTS_PER_SECOND,
      duplicates: 0.2,
      disorder: 0.1,
      seed: 1,
      sign,
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

async function runDemo(): Promise<void> {
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

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description(
      'run the relay between simulators: every kind of event, through an outage; ends with the ledger',
    )
    .addHelpText('after', '\nExample:\n  $ capillary-relay demo')
    .action(runDemo);
}
