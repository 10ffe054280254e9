import { isDeepStrictEqual } from 'node:util';
import type { Findings } from './findings.ts';
import type { Obligation, Terms } from './obligations.ts';
import { type LastRecord, storiesOf, type Story } from './story.ts';
import type { Witness } from './witness.ts';

const inOrderOfAcceptance = (all: readonly Obligation[]): Obligation[] =>
  all.toSorted((a, b) => ((a.receipt ?? '') < (b.receipt ?? '') ? -1 : 1));

const checkOrder = (owed: readonly Obligation[], kind: 'event' | 'profile', findings: Findings): void => {
  let before: Obligation | undefined;
  for (const by of owed) {
    const at = by.landed[kind];
    if (at === undefined) continue;
    if (before !== undefined && at < (before.landed[kind] ?? 0)) {
      findings.add(`${by.id}: its ${kind} landed before that of ${before.id}, which was accepted first`);
    }
    before = by;
  }
};

/** An event answered before another was posted must have been accepted before it. */
const checkReceipts = (events: readonly Obligation[], findings: Findings): void => {
  let latest: Obligation | undefined;
  for (const by of events) {
    if (latest !== undefined && (by.answered ?? Infinity) < (latest.began ?? 0)) {
      findings.add(`${by.id}: was answered before ${latest.id} was posted and accepted after it`);
    }
    if (latest === undefined || (by.began ?? 0) > (latest.began ?? 0)) latest = by;
  }
};

/** Two customers that are merged are taken as it comes: which of their events makes the last record is not known, what is in it is. */
const checkLast = ({ lanes, by, entity: must }: LastRecord, witness: Witness, findings: Findings): void => {
  const landed = lanes
    .flatMap((lane) => witness.profiles.get(lane) ?? [])
    .toSorted((a, b) => a.seq - b.seq)
    .at(-1);
  if (landed === undefined || (lanes.length === 1 && landed.by !== by)) {
    findings.add(`${by.id}: the last profile record of its customer is ${landed?.by.id ?? 'missing'}`);
    return;
  }
  const { _id, ...is } = landed.entity;
  if (_id === landed.by.id && isDeepStrictEqual(is, must)) return;
  const merged = lanes.length === 1 ? '' : `(merged of ${lanes.length}) `;
  findings.add(`${by.id}: profile ${merged}${JSON.stringify(is)} and not ${JSON.stringify(must)}`);
};

/** @returns how many messages of promised events never landed */
const checkLanded = (events: readonly Obligation[], story: Story, findings: Findings): number => {
  let lost = 0;
  const profiles = new Set(story.profiles);
  const miss = (by: Obligation, kind: 'event' | 'profile'): void => {
    lost += 1;
    findings.add(`${by.id}: LOST: its ${kind} never landed (${by.event.eventName}, receipt ${by.receipt})`);
  };
  for (const by of story.events) if (by.landed.event === undefined) miss(by, 'event');
  for (const by of profiles) if (by.landed.profile === undefined) miss(by, 'profile');
  for (const by of events) {
    if (by.landed.profile !== undefined && !profiles.has(by))
      findings.add(`${by.id}: a profile record landed that it does not call for`);
  }
  return lost;
};

/** How many messages are owed, and how many events end in which state. */
export interface Due {
  delivered: number;
  ignored: number;
  dead: number;
  /** Messages of promised events that never landed. */
  lost: number;
}

/** Holds what landed against what was promised, customer by customer. */
export const checkCustomers = async (
  all: readonly Obligation[],
  witness: Witness,
  terms: Terms,
  findings: Findings,
): Promise<Due> => {
  const due: Due = { delivered: 0, ignored: 0, dead: 0, lost: 0 };
  const inOrder = inOrderOfAcceptance(all);
  const stories = await storiesOf(inOrder, terms);
  for (const [lane, events] of Map.groupBy(inOrder, ({ event }) => event.lane)) {
    const story = stories.ofLane.get(lane)!;
    due.delivered += story.events.length;
    due.dead += story.dead.length;
    due.ignored += events.length - story.dead.length - story.events.length;
    due.lost += checkLanded(events, story, findings);
    if (lane === undefined) continue;
    checkReceipts(events, findings);
    checkOrder(story.events, 'event', findings);
    checkOrder(story.profiles, 'profile', findings);
  }
  for (const last of stories.last) checkLast(last, witness, findings);
  return due;
};
