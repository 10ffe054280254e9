import type { DestinationAnswer, EventAnswer, HealthAnswer, LedgerAnswer } from '../admin-answers.ts';
import type { AdminClient } from '../admin-client.ts';
import { CommandError } from '../command-error.ts';

/** Counts since the process was started; they only grow until it is started again. */
export interface Counters {
  readonly accepted: number;
  readonly delivered: number;
  readonly dead: number;
}

/** How a relay does at one instant. */
export interface Look {
  /** ms of a steady clock. */
  readonly at: number;
  readonly health: HealthAnswer;
  readonly counters: Counters;
  readonly ledger: LedgerAnswer;
  readonly destinations: readonly DestinationAnswer[];
  /** The newest few. */
  readonly deadLetters: readonly EventAnswer[];
}

/** Events in a second, between two looks. */
export interface Rates extends Counters {
  /** Between the two looks. */
  readonly seconds: number;
}

const DEAD_LETTERS = 5;

/** Sum of a metric over all its labels, in the text format of Prometheus. */
function sumOf(metrics: string, name: string): number {
  return metrics
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

function countersOf(metrics: string): Counters {
  return {
    accepted: sumOf(metrics, 'relay_accepted_total'),
    delivered: sumOf(metrics, 'relay_delivered_total'),
    dead: sumOf(metrics, 'relay_dead_total'),
  };
}

function healthOf({ status, text }: { status: number; text: string }): HealthAnswer {
  try {
    return JSON.parse(text) as HealthAnswer;
  } catch {
    throw new CommandError(`/readyz answered ${status} without JSON: this is not the admin port of a relay.`);
  }
}

/**
 * Asks the relay for everything at once.
 * @throws CommandError when it cannot be reached or refuses
 */
export async function look(client: AdminClient): Promise<Look> {
  const [ready, metrics, ledger, { destinations }, { deadLetters }] = await Promise.all([
    client.open('/readyz'),
    client.open('/metrics'),
    client.get<LedgerAnswer>('/ledger'),
    client.get<{ destinations: readonly DestinationAnswer[] }>('/destinations'),
    client.get<{ deadLetters: readonly EventAnswer[] }>('/dead-letters', { limit: DEAD_LETTERS }),
  ]);
  const counters = countersOf(metrics.text);
  return {
    at: performance.now(),
    health: healthOf(ready),
    counters,
    ledger,
    destinations,
    deadLetters,
  };
}

/** How fast events moved between two looks. A counter that fell began anew at 0: the relay was restarted. */
export function ratesOf(before: Look, after: Look): Rates {
  const seconds = (after.at - before.at) / 1_000;
  const rate = (name: keyof Counters): number => {
    const grown = after.counters[name] - before.counters[name];
    return (grown < 0 ? after.counters[name] : grown) / seconds;
  };
  return { seconds, accepted: rate('accepted'), delivered: rate('delivered'), dead: rate('dead') };
}
