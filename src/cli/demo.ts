import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { DOCUMENTED_NAMES, makeEvents } from '../simulator/capillary-events.ts';
import { sendEvents } from '../simulator/sender.ts';
import { signRequest } from '../simulator/sign.ts';
import type { LedgerAnswer } from './admin-answers.ts';
import { CommandError } from './command-error.ts';
import { type DemoStage, openDemoStage } from './demo-stage.ts';
import { type DemoOutcome, indexEvents, watchOutcomes } from './demo-watch.ts';
import { formatBalance } from './ledger.ts';

/** Events sent: enough that each documented name comes plain and each awkward form at least once. */
const COUNT = 80;
const CUSTOMERS = 12;
const RATE = 20;
/** Into the run, and for so long, the inlet answers 503. ms. */
const OUTAGE = { after: 1_500, length: 3_000 };
/** ms for everything; what has no outcome then is missing. */
const LIMIT = 50_000;

function say(line = ''): void {
  void process.stdout.write(`${line}\n`);
}

function describe({ event, answer, landed }: DemoOutcome): string {
  const ms = Date.parse(answer.settledAt ?? '') - Date.parse(answer.receivedAt);
  const what = event.variant === 'plain' ? event.name : `${event.name} (${event.variant})`;
  const eventType = landed.find((record) => record.kind === 'event')?.eventType ?? '';
  const profile = landed.some((record) => record.kind === 'profile') ? ' + profile' : '';
  const end =
    answer.state === 'delivered' ? `landed   ${eventType}${profile}` : `${answer.state}  ${answer.reason}`;
  return `${String(ms).padStart(6)} ms  ${what.padEnd(38)} received → ${end}`;
}

/** Why an outcome is not what was promised; undefined when all is well. */
function faultOf({ answer, landed }: DemoOutcome): string | undefined {
  if (answer.state === 'ignored') return undefined;
  if (answer.state !== 'delivered')
    return `${answer.receipt} is ${answer.state}: ${answer.reason} ${answer.detail ?? ''}`;
  const dropped = landed.find((record) => record.dropped.length > 0);
  if (dropped !== undefined) return `Adobe would drop ${dropped.id}: ${dropped.dropped.join(', ')}`;
  return landed.length < answer.delivered.length ? `${answer.receipt} did not land` : undefined;
}

async function outage(stage: DemoStage, signal: AbortSignal): Promise<void> {
  await sleep(OUTAGE.after, undefined, { signal });
  say(`           --- the inlet is down: 503 for ${OUTAGE.length / 1_000} s ---`);
  // oxlint-disable-next-line unicorn/no-thenable -- the key of the fault rules' own format, and never a function
  stage.simulator.setFaults([{ on: 'inlet', then: { status: 503 } }]);
  await sleep(OUTAGE.length, undefined, { signal });
  stage.simulator.setFaults([]);
  say('           --- the inlet is up again ---');
}

async function play(stage: DemoStage, signal: AbortSignal): Promise<string[]> {
  const { orgId, verifier, webhookUrl: url } = stage;
  const plain = makeEvents({
    count: COUNT / 2,
    customers: CUSTOMERS,
    names: DOCUMENTED_NAMES,
    awkward: 0,
    orgId,
    seed: 1,
  });
  const awkward = makeEvents({ count: COUNT / 2, customers: CUSTOMERS, awkward: 1, orgId, seed: 2 });
  const events = [...plain, ...awkward];
  const expected = indexEvents(events);
  const faults: string[] = [];
  const told = (outcome: DemoOutcome): void => {
    say(describe(outcome));
    const fault = faultOf(outcome);
    if (fault !== undefined) faults.push(fault);
  };
  const sign = (body: string, now: number) => signRequest(verifier, body, now);
  const [report, missing] = await Promise.all([
    sendEvents({ url, events, rate: RATE, duplicates: 0.2, disorder: 0.1, seed: 1, sign, signal }),
    watchOutcomes(stage, expected, told, signal),
    outage(stage, signal),
  ]);
  for (const identity of missing) faults.push(`no outcome for ${expected.get(identity)?.name}`);
  if (report.givenUp > 0) faults.push(`${report.givenUp} webhooks were not taken`);

  const ledger = await stage.admin.get<LedgerAnswer>('/ledger');
  const stats = stage.simulator.stats();
  say();
  say(`Capillary sent ${report.sent} webhooks: ${expected.size} events, ${report.duplicate} of them twice`);
  say(`Adobe has ${stats.distinctIds} records (${stats.duplicates} sent again), ${stats.mints} token minted`);
  say(formatBalance(ledger));
  if (!ledger.balanced) faults.push('the ledger does not balance');
  if (ledger.accepted !== expected.size)
    faults.push(`${expected.size} events, but ${ledger.accepted} accepted`);
  return faults;
}

async function demo(): Promise<void> {
  say('A simulated Capillary, the relay, and a simulated Adobe, on loopback.');
  say();
  const stage = await openDemoStage();
  try {
    const faults = await play(stage, AbortSignal.timeout(LIMIT));
    if (faults.length > 0) throw new CommandError(faults.join('\n'));
    say('Every event is accounted for.');
  } finally {
    await stage.close();
  }
}

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description(
      'run simulator and relay on loopback, send every kind of event through an outage, show the ledger',
    )
    .addHelpText('after', '\nExample:\n  $ capillary-relay demo')
    .action(demo);
}
