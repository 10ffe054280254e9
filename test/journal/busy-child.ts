import { setTimeout as sleep } from 'node:timers/promises';
import type { Settlement } from '../../src/journal/journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import {
  claimLimits,
  DAY,
  sampleAttempt,
  sampleMalformed,
  sampleQuarantined,
  sampleRequest,
  settled,
  sha256,
} from '../contract/samples.ts';
import { type Answered, busyEvent } from './busy-events.ts';

/*
 * Runs in a separate process: appends to the journal in the given folder from the given number on,
 * and claims and settles what it has appended, until it is killed. Prints what was answered.
 */
const [path = '', first = '1'] = process.argv.slice(2);
const BOUNDS = { maxCount: 100_000, maxBytes: 1e9, maxAge: DAY };
const DESTINATION = 'aep';

let next = Number(first);
const journal = await openSqliteJournal({ path, encryptionKeys: [] });

/** Written directly to the pipe: whatever is printed was acknowledged. */
function print(answered: Answered): void {
  process.stdout.write(`${JSON.stringify(answered)}\n`);
}

async function appendForever(): Promise<never> {
  for (;;) {
    const numbers = Array.from({ length: 1 + (next % 12) }, () => next++);
    const answers = await journal.append(numbers.map(busyEvent));
    for (const [at, { receipt }] of answers.entries())
      print({ kind: 'event', receipt, number: numbers[at] as number });
    const [number = 0] = numbers;
    if (number % 7 === 0) await journal.recordDifferingCopy(answers[0]?.receipt ?? '');
    if (number % 11 === 0)
      print({ kind: 'malformed', number: 0, ...(await journal.appendMalformed(sampleMalformed())) });
    if (number % 13 === 0) {
      const { receipt } = await journal.quarantine(sampleQuarantined(), BOUNDS);
      print({ kind: 'quarantined', number: 0, receipt });
    }
    await sleep(number % 4);
  }
}

function settlementOf(receipt: string, lane: string | undefined): Settlement {
  const request = sampleRequest({ status: 207 });
  const attempts = [sampleAttempt({ request, outcome: 'delivered', detail: undefined, xactionId: 'x:1:2' })];
  const choice = Number.parseInt(sha256(receipt).slice(0, 4), 16) % 16;
  if (choice === 0) return settled.dead(receipt);
  if (choice === 1) return settled.ignored(receipt);
  if (choice < 4 && Math.random() < 0.5) return settled.waiting(receipt, choice * 10);
  const profiles = lane === undefined ? [] : [{ lane, state: JSON.stringify({ last: receipt }) }];
  return { ...settled.delivered(receipt), attempts, profiles };
}

async function deliverForever(): Promise<never> {
  const claimant = { id: `process ${process.pid}`, destination: DESTINATION };
  for (;;) {
    const { token, events } = await journal.claim(claimant, claimLimits({ events: 48 }));
    await journal.settle(
      token,
      events.map(({ receipt, lane }) => settlementOf(receipt, lane)),
    );
    await sleep(3);
  }
}

console.log('open');
await Promise.all([appendForever(), appendForever(), appendForever(), deliverForever()]);
