import { setTimeout as sleep } from 'node:timers/promises';
import { parseEvent } from '../../capillary/event-parser.ts';
import type { LandedRecord } from '../../simulator/adobe/landed-store.ts';
import type { GeneratedEvent } from '../../simulator/capillary/capillary-events.ts';
import { xdmId } from '../../xdm/xdm-record.ts';
import type { EventAnswer } from '../admin-answers.ts';
import type { Simulator } from '../../simulator/simulator.ts';
import type { AdminClient } from '../admin-client.ts';

const POLL_INTERVAL_MS = 50;
/** Largest page of the admin API. */
const PAGE_SIZE = 500;

/** The outcome of one event of the demo. */
export interface DemoOutcome {
  readonly event: GeneratedEvent;
  readonly answer: EventAnswer;
  /** Its records in the simulated Adobe: the event, and the profile record if it has one. */
  readonly landed: readonly LandedRecord[];
}

/** Writes a line to standard output. */
export function print(line = ''): void {
  void process.stdout.write(`${line}\n`);
}

/** Events by identity: each must have exactly one outcome. */
export function indexEvents(events: readonly GeneratedEvent[]): ReadonlyMap<string, GeneratedEvent> {
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
export async function watchOutcomes(
  { admin, simulator }: { readonly admin: AdminClient; readonly simulator: Simulator },
  expected: ReadonlyMap<string, GeneratedEvent>,
  onOutcome: (outcome: DemoOutcome) => void,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const missing = new Set(expected.keys());
  while (missing.size > 0 && !signal.aborted) {
    const { events } = await admin.get<{ events: EventAnswer[] }>('/events', {
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
      onOutcome({ event, answer, landed: simulator.landed({ id: xdmId(identity) }) });
    }
    await sleep(POLL_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
  return missing;
}

/** One line. */
export function formatOutcome({ event, answer, landed }: DemoOutcome): string {
  const ms = Date.parse(answer.settledAt ?? '') - Date.parse(answer.receivedAt);
  const name = event.variant === 'plain' ? event.name : `${event.name} (${event.variant})`;
  const eventType = landed.find((record) => record.kind === 'event')?.eventType ?? '';
  const profile = landed.some((record) => record.kind === 'profile') ? ' + profile' : '';
  const outcome =
    answer.state === 'delivered' ? `landed   ${eventType}${profile}` : `${answer.state}  ${answer.reason}`;
  return `${String(ms).padStart(6)} ms  ${name.padEnd(38)} received → ${outcome}`;
}

/** Why an outcome is wrong; undefined for a correct one. */
export function faultOf({ answer, landed }: DemoOutcome): string | undefined {
  if (answer.state === 'ignored') return undefined;
  if (answer.state !== 'delivered')
    return `${answer.receipt} is ${answer.state}: ${answer.reason} ${answer.detail ?? ''}`;
  const dropped = landed.find((record) => record.dropped.length > 0);
  if (dropped !== undefined) return `Adobe would drop ${dropped.id}: ${dropped.dropped.join(', ')}`;
  return landed.length < answer.delivered.length ? `${answer.receipt} did not land` : undefined;
}
