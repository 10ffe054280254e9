/* oxlint-disable vitest/no-standalone-expect -- part of the tests of crashes */
import { expect } from 'vitest';
import type { Journal, StoredEvent } from '../../src/journal/journal.ts';
import { verifyStore } from '../../src/journal/sqlite/offline/verify.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { claimLimits } from '../contract/samples.ts';
import { type Answered, busyEvent } from './busy-events.ts';

/** Answered events whose body and identity are compared: enough to find a shifted one. */
const COMPARED = 12;

async function allEvents(journal: Journal): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  let cursor: string | undefined;
  do {
    const page = await journal.list({}, { limit: 500, ...(cursor === undefined ? {} : { cursor }) });
    events.push(...page.items);
    ({ cursor } = page);
  } while (cursor !== undefined);
  return events.toReversed();
}

/**
 * Outcomes can be forgotten, but only the newest: in each lane, what is settled comes before what
 * is pending, and only the first pending event is claimable.
 */
async function expectOrder(journal: Journal, events: readonly StoredEvent[]): Promise<void> {
  const heads = new Map<string, string>();
  for (const { lane, state, receipt } of events) {
    if (lane === undefined || state === 'malformed') continue;
    if (state === 'pending') heads.set(lane, heads.get(lane) ?? receipt);
    else expect(heads.get(lane), `${receipt} was settled before an earlier event`).toBeUndefined();
  }
  const claimant = { id: 'check', destination: 'aep' };
  const limits = claimLimits({ events: 100_000 });
  const { token, events: claimed } = await journal.claim(claimant, { ...limits, maxWait: 0 });
  const ofLanes = claimed.flatMap(({ lane, receipt }) => (lane === undefined ? [] : [receipt]));
  expect(ofLanes.toSorted()).toEqual([...heads.values()].toSorted());
  await journal.release(
    token,
    claimed.map(({ receipt }) => receipt),
  );
}

async function expectSame(journal: Journal, events: readonly Answered[]): Promise<void> {
  for (const { receipt, number } of events) {
    const event = busyEvent(number);
    const record = await journal.find(receipt);
    expect(record?.event).toMatchObject({ identity: event.identity, lane: event.lane });
    expect(record?.body?.equals(event.body)).toBe(true);
  }
  const again = await journal.append(events.map(({ number }) => busyEvent(number)));
  expect(again).toEqual(events.map(({ receipt }) => ({ receipt, duplicate: true, sameBody: true })));
}

/** Opens a store after a crash and checks everything that it promises about what was answered. */
export async function expectAccepted(path: string, answered: readonly Answered[]): Promise<void> {
  const journal = await openSqliteJournal({ path, encryptionKeys: [] });
  try {
    const ofKind = (kind: Answered['kind']) => answered.filter((each) => each.kind === kind);
    const events = ofKind('event');
    const receipts = [...events, ...ofKind('malformed')].map(({ receipt }) => receipt);
    expect(await journal.count({ receipts })).toBe(receipts.length);
    const { acme } = await journal.ledger();
    expect(acme?.accepted ?? 0).toBeGreaterThanOrEqual(events.length);
    const stored = await allEvents(journal);
    const inState = (state: string) => stored.filter((event) => event.state === state).length;
    for (const state of ['pending', 'delivered', 'ignored', 'dead', 'malformed'] as const)
      expect([state, acme?.[state] ?? 0]).toEqual([state, inState(state)]);
    expect(acme?.accepted ?? 0).toBe(stored.length - inState('malformed'));
    expect(acme?.quarantined ?? 0).toBeGreaterThanOrEqual(ofKind('quarantined').length);
    await expectOrder(journal, stored);
    const step = Math.max(1, Math.floor(events.length / COMPARED));
    await expectSame(
      journal,
      events.filter((_, index) => index % step === 0 || index === events.length - 1),
    );
  } finally {
    await journal.close();
  }
  expect(verifyStore(path)).toEqual([]);
}
