import type {
  DestinationAnswer,
  DestinationsAnswer,
  EventAnswer,
  HealthAnswer,
  IntakeAnswer,
  ReplicaAnswer,
} from '../admin-answers.ts';
import type { LedgerAnswer } from '../ledger-answer.ts';
import type { AdminClient } from '../admin-client.ts';
import { CommandError } from '../command-error.ts';
import type { ReconciliationAnswer } from '../reconcile/reconciliation-answer.ts';
import type { EnrichmentStateAnswer } from './enrichment-answer.ts';

/** Counts of the replica that answers, since it was started; a restart resets them. */
export interface Counters {
  readonly accepted: number;
  readonly delivered: number;
  readonly dead: number;
}

/** State of a relay at one time. */
export interface Snapshot {
  /** ms of a monotonic clock. */
  readonly at: number;
  /** Epoch ms. */
  readonly takenAt: number;
  readonly health: HealthAnswer;
  readonly counters: Counters;
  readonly unusableSecretFiles: number;
  /** Pending events at a destination that their source no longer has. */
  readonly misplaced: number;
  /** Bodies and records removed early since the start, because the store was full. */
  readonly removedEarly: number;
  readonly intake: IntakeAnswer;
  readonly ledger: LedgerAnswer;
  readonly destinations: readonly DestinationAnswer[];
  readonly replicas: readonly ReplicaAnswer[];
  /** Of sources with `enrich`. */
  readonly enrichment: readonly EnrichmentStateAnswer[];
  /** Of sources and destinations with `reconcile`. */
  readonly reconciliation: ReconciliationAnswer;
  /** The latest few. */
  readonly deadLetters: readonly EventAnswer[];
}

/** Events per second between two snapshots. */
export interface Rates extends Counters {
  /** Time between the two snapshots. */
  readonly seconds: number;
}

/** Dead letters in a snapshot at most. */
export const DEAD_LETTER_COUNT = 5;

/** Sum of a metric over all its labels, from the Prometheus text format. */
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
 * Requests everything that the status shows, at once.
 * @throws CommandError when the relay cannot be reached or refuses the request
 */
export async function takeSnapshot(client: AdminClient): Promise<Snapshot> {
  const [
    ready,
    metrics,
    intake,
    ledger,
    atAdobe,
    { replicas },
    { sources: enrichment },
    reconciliation,
    { deadLetters },
  ] = await Promise.all([
    client.getPublic('/readyz'),
    client.getPublic('/metrics'),
    client.get<IntakeAnswer>('/intake'),
    client.get<LedgerAnswer>('/ledger'),
    client.get<DestinationsAnswer>('/destinations'),
    client.get<{ replicas: readonly ReplicaAnswer[] }>('/replicas'),
    client.get<{ sources: readonly EnrichmentStateAnswer[] }>('/enrichment'),
    client.get<ReconciliationAnswer>('/reconciliation'),
    client.get<{ deadLetters: readonly EventAnswer[] }>('/dead-letters', { limit: DEAD_LETTER_COUNT }),
  ]);
  const { destinations, misplaced = [] } = atAdobe;
  const counters = countersOf(metrics.text);
  return {
    at: performance.now(),
    takenAt: Date.now(),
    health: healthOf(ready),
    counters,
    unusableSecretFiles: sumOf(metrics.text, 'relay_secret_files_unusable'),
    misplaced: misplaced.reduce((sum, { pending }) => sum + pending, 0),
    removedEarly: sumOf(metrics.text, 'relay_store_made_room_total'),
    intake,
    ledger,
    destinations,
    replicas,
    enrichment,
    reconciliation,
    deadLetters,
  };
}

/**
 * Rates between two snapshots; of several replicas those of all, as they reported them for the last
 * minute. A counter that fell was reset by a restart of the relay.
 */
export function ratesOf(before: Snapshot, after: Snapshot): Rates {
  const seconds = (after.at - before.at) / 1_000;
  const { replicas } = after;
  if (replicas.length > 1) {
    const sum = (name: 'accepted' | 'delivered'): number =>
      replicas.reduce((total, { rates }) => total + rates[name], 0);
    const dead = Math.max(0, after.ledger.dead - before.ledger.dead) / seconds;
    return { seconds, accepted: sum('accepted'), delivered: sum('delivered'), dead };
  }
  const rate = (name: keyof Counters): number => {
    const grown = after.counters[name] - before.counters[name];
    return (grown < 0 ? after.counters[name] : grown) / seconds;
  };
  return { seconds, accepted: rate('accepted'), delivered: rate('delivered'), dead: rate('dead') };
}
