import { setTimeout as sleep } from 'node:timers/promises';
import { parseEvent } from '../capillary/envelope.ts';
import { xdmId } from '../xdm/xdm-id.ts';
import type { GeneratedEvent } from '../simulator/capillary-events.ts';
import type { LandedRecord } from '../simulator/landed-record.ts';
import type { EventAnswer } from './admin-answers.ts';
import type { DemoStage } from './demo-stage.ts';

/** ms between looks at the relay. */
const INTERVAL = 50;
/** The admin API's largest page. */
const PAGE = 500;

/** One event of the demo in the end. */
export interface DemoOutcome {
  readonly event: GeneratedEvent;
  readonly answer: EventAnswer;
  /** What Adobe has of it: the event, and the profile record if it had one. */
  readonly landed: readonly LandedRecord[];
}

/** Identity → event: what the relay must account for, once each. */
export function indexEvents(events: readonly GeneratedEvent[]): ReadonlyMap<string, GeneratedEvent> {
  return new Map(
    events.map((event): [string, GeneratedEvent] => {
      const parsed = parseEvent(Buffer.from(event.body), {});
      if (!parsed.ok) throw new Error(`the demo made no event: ${parsed.detail}`);
      return [parsed.event.identity, event];
    }),
  );
}

/**
 * Follows the events through the relay's admin API and the simulator until each has its outcome.
 * @param told called once for each event, in the order in which they are settled
 * @returns identities without an outcome when the signal aborted
 */
export async function watchOutcomes(
  stage: DemoStage,
  expected: ReadonlyMap<string, GeneratedEvent>,
  told: (outcome: DemoOutcome) => void,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const missing = new Set(expected.keys());
  while (missing.size > 0 && !signal.aborted) {
    const { events } = await stage.admin.get<{ events: EventAnswer[] }>('/events', { limit: PAGE });
    const settled = events
      .filter((answer) => answer.state !== 'pending' && missing.has(answer.identity ?? ''))
      .toSorted((a, b) => (a.settledAt ?? '').localeCompare(b.settledAt ?? ''));
    for (const answer of settled) {
      const event = expected.get(answer.identity ?? '');
      if (event === undefined) continue;
      missing.delete(answer.identity ?? '');
      told({ event, answer, landed: stage.simulator.landed({ id: xdmId(answer.identity ?? '') }) });
    }
    await sleep(INTERVAL, undefined, { signal }).catch(() => undefined);
  }
  return missing;
}
