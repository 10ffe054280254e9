import { isDeepStrictEqual } from 'node:util';
import type { Findings } from './findings.ts';
import { isOfThese, recordsOf } from './merged-profile.ts';
import type { Obligation, Terms } from './obligations.ts';
import { type Story, storyOf } from './story.ts';
import type { LandedProfile, Witness } from './witness.ts';

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

const checkLast = (
  lane: string,
  stories: ReadonlyMap<string | undefined, Story>,
  landed: LandedProfile | undefined,
  findings: Findings,
): void => {
  const last = stories.get(lane)?.last;
  if (last === undefined) return;
  if (landed === undefined || landed.by !== last.by) {
    findings.add(`${last.by.id}: the last profile record of its customer is ${landed?.by.id ?? 'missing'}`);
    return;
  }
  const isRight = last.isFolded
    ? isOfThese(landed.entity, last.entity, recordsOf(lane, stories))
    : isDeepStrictEqual(landed.entity, last.entity);
  if (isRight) return;
  const [is, must] = [landed.entity, last.entity].map((entity) => JSON.stringify(entity));
  findings.add(`${last.by.id}: profile ${last.isFolded ? '(merged) ' : ''}${is} and not ${must}`);
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
  const lanes = Map.groupBy(inOrderOfAcceptance(all), ({ event }) => event.lane);
  const stories = new Map<string | undefined, Story>();
  for (const [lane, events] of lanes) stories.set(lane, await storyOf(lane, events, terms));
  for (const [lane, events] of lanes) {
    const story = stories.get(lane)!;
    due.delivered += story.events.length;
    due.dead += story.dead.length;
    due.ignored += events.length - story.dead.length - story.events.length;
    due.lost += checkLanded(events, story, findings);
    if (lane === undefined) continue;
    checkReceipts(events, findings);
    checkOrder(story.events, 'event', findings);
    checkOrder(story.profiles, 'profile', findings);
    checkLast(lane, stories, witness.profiles.get(lane), findings);
  }
  return due;
};
