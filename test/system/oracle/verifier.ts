import { isDeepStrictEqual } from 'node:util';
import type { ExpectedEvent, MappingSettings } from './expectations.ts';
import type { Findings } from './findings.ts';
import type { Recorder } from './recorder.ts';
import { buildTimelines, type LastRecord, type Timeline } from './timeline.ts';

/**
 * Puts events whose messages landed in that order, and leaves the others where they are. Replicas
 * may process two events of a customer that were accepted at the same time in either order.
 */
function inOrderOfLanding(accepted: readonly ExpectedEvent[]): ExpectedEvent[] {
  const landed = accepted
    .filter((expected) => expected.landed.event !== undefined)
    .toSorted((a, b) => a.landed.event! - b.landed.event!);
  return accepted.map((expected) => (expected.landed.event === undefined ? expected : landed.shift()!));
}

function timesOf({ receipt, firstPostMs, acknowledgedMs, landedMs }: ExpectedEvent): string {
  const seconds = [firstPostMs, acknowledgedMs, landedMs].map((at) => ((at ?? NaN) / 1_000).toFixed(2));
  return `${receipt} posted ${seconds[0]}, answered ${seconds[1]}, landed ${seconds[2]}`;
}

/** @param acceptance see `RelaysUnderTest.acceptance` */
export function inOrderOfAcceptance(
  all: readonly ExpectedEvent[],
  acceptance: ReadonlyMap<string, number> | undefined,
  findings: Findings,
): ExpectedEvent[] {
  if (acceptance === undefined)
    return all.toSorted((a, b) => ((a.receipt ?? '') < (b.receipt ?? '') ? -1 : 1));
  for (const { id, receipt = '' } of all)
    if (!acceptance.has(receipt)) findings.add(`${id}: LOST: the store has no event ${receipt}`);
  const placeOf = ({ receipt = '' }: ExpectedEvent): number => acceptance.get(receipt) ?? Infinity;
  const accepted = all.toSorted((a, b) => placeOf(a) - placeOf(b));
  const byLane = Map.groupBy(accepted, ({ event }) => event.lane);
  for (const [lane, list] of byLane) if (lane !== undefined) checkPosts(list, 'was accepted', findings);
  const landed = new Map([...byLane].map(([lane, list]) => [lane, inOrderOfLanding(list)] as const));
  return accepted.map((expected) =>
    expected.event.lane === undefined ? expected : landed.get(expected.event.lane)!.shift()!,
  );
}

/** Messages of one customer must have landed in the order in which their events were accepted. */
function checkOrder(accepted: readonly ExpectedEvent[], kind: 'event' | 'profile', findings: Findings): void {
  let previous: ExpectedEvent | undefined;
  for (const expected of accepted) {
    const landed = expected.landed[kind];
    if (landed === undefined) continue;
    if (previous !== undefined && landed < (previous.landed[kind] ?? 0)) {
      findings.add(
        `${expected.id}: its ${kind} landed before that of ${previous.id}, which was accepted first`,
      );
    }
    previous = expected;
  }
}

/**
 * An event that was answered before another was posted must also precede it.
 * @param did what the events did in this order
 */
function checkPosts(accepted: readonly ExpectedEvent[], did: string, findings: Findings): void {
  let latest: ExpectedEvent | undefined;
  for (const expected of accepted) {
    if (latest !== undefined && (expected.acknowledgedMs ?? Infinity) < (latest.firstPostMs ?? 0)) {
      findings.add(
        `${expected.id}: was answered before ${latest.id} was posted but ${did} after it: ${timesOf(expected)}, ${timesOf(latest)}`,
      );
    }
    if (latest === undefined || (expected.firstPostMs ?? 0) > (latest.firstPostMs ?? 0)) latest = expected;
  }
}

/**
 * The relay processes two customers that are merged in any interleaving: the content of the last
 * record is known, but not which of their events causes it.
 */
function checkLastRecord(
  { lanes, expected, entity: wanted }: LastRecord,
  recorder: Recorder,
  findings: Findings,
): void {
  const landed = lanes
    .flatMap((lane) => recorder.profiles.get(lane) ?? [])
    .toSorted((a, b) => a.seq - b.seq)
    .at(-1);
  if (landed === undefined || (lanes.length === 1 && landed.expected !== expected)) {
    const last = landed?.expected.id ?? 'missing';
    findings.add(`${expected.id}: the last profile record of its customer is ${last}`);
    return;
  }
  const { _id, ...entity } = landed.entity;
  if (_id === landed.expected.id && isDeepStrictEqual(entity, wanted)) return;
  const merged = lanes.length === 1 ? '' : ` (${lanes.length} customers merged)`;
  findings.add(
    `${expected.id}: profile${merged} is ${JSON.stringify(entity)}, expected ${JSON.stringify(wanted)}`,
  );
}

/** @returns number of messages of acknowledged events that never landed */
function checkLanded(accepted: readonly ExpectedEvent[], timeline: Timeline, findings: Findings): number {
  let lost = 0;
  const withProfile = new Set(timeline.profiles);
  const addLost = (expected: ExpectedEvent, kind: 'event' | 'profile'): void => {
    lost += 1;
    const { event, id, receipt } = expected;
    findings.add(`${id}: LOST: its ${kind} never landed (${event.eventName}, receipt ${receipt})`);
  };
  for (const expected of timeline.events) if (expected.landed.event === undefined) addLost(expected, 'event');
  for (const expected of withProfile) if (expected.landed.profile === undefined) addLost(expected, 'profile');
  for (const expected of accepted) {
    if (expected.landed.profile !== undefined && !withProfile.has(expected))
      findings.add(`${expected.id}: an unexpected profile record landed`);
  }
  return lost;
}

/** Expected number of events in each final state, and the number of messages that are missing. */
export interface ExpectedTotals {
  delivered: number;
  ignored: number;
  dead: number;
  /** Messages of acknowledged events that never landed. */
  lost: number;
}

/**
 * Compares what landed with what was acknowledged, customer by customer.
 * @param inOrder see `inOrderOfAcceptance`
 */
export async function verifyCustomers(
  inOrder: readonly ExpectedEvent[],
  recorder: Recorder,
  settings: MappingSettings,
  findings: Findings,
): Promise<ExpectedTotals> {
  const totals: ExpectedTotals = { delivered: 0, ignored: 0, dead: 0, lost: 0 };
  const timelines = await buildTimelines(inOrder, settings);
  for (const [lane, accepted] of Map.groupBy(inOrder, ({ event }) => event.lane)) {
    const timeline = timelines.byLane.get(lane)!;
    totals.delivered += timeline.events.length;
    totals.dead += timeline.dead.length;
    totals.ignored += accepted.length - timeline.dead.length - timeline.events.length;
    totals.lost += checkLanded(accepted, timeline, findings);
    if (lane === undefined) continue;
    checkPosts(accepted, 'was processed', findings);
    checkOrder(timeline.events, 'event', findings);
    checkOrder(timeline.profiles, 'profile', findings);
  }
  for (const last of timelines.lastRecords) checkLastRecord(last, recorder, findings);
  return totals;
}
