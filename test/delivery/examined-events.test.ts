import { beforeEach, describe, expect, it } from 'vitest';
import type { ClaimedEvent } from '../../src/journal/journal.ts';
import { mapEvent } from '../../src/mapping/map-event.ts';
import { createProgramCatalogue } from '../../src/mapping/program-catalogue.ts';
import { contextOf, eventWith, RECEIVED_AT } from '../mapping/mapping-rig.ts';
import { prepareOne, type PrepareOneParts } from './prepare-one.ts';

let parts: PrepareOneParts;
beforeEach(() => {
  const { source, destination } = contextOf();
  const journal = { profiles: () => Promise.resolve(new Map()), savePrograms: () => Promise.resolve() };
  const programs = createProgramCatalogue();
  parts = { now: RECEIVED_AT, source, destination, journal, programs } as unknown as PrepareOneParts;
});

/** The paths of the unread fields of an event; undefined if it was not examined. */
async function unreadOf(eventName: string, replays = 0): Promise<readonly string[] | undefined> {
  const data = { customerIdentifiers: { customerId: 5 }, shelf: 'A' };
  const event = {
    body: Buffer.from(JSON.stringify({ eventName, eventId: 'e', orgId: 1, data })),
    orgId: 1,
    identity: 'a'.repeat(64),
    receipt: 'r',
    receivedAt: RECEIVED_AT,
    idSuffix: '',
    delivered: [],
    failedAttempts: 0,
    replays,
  };
  const prepared = await prepareOne(event as unknown as ClaimedEvent, parts);
  if (prepared.kind !== 'messages') throw new Error(`${prepared.kind}: ${prepared.reason}`);
  return prepared.unread && [...prepared.unread.fields.keys()];
}

/** The numbers, from 1 on, of the events that were examined. */
async function examined(count: number, nameOf: (number: number) => string): Promise<readonly number[]> {
  const numbers: number[] = [];
  for (let number = 1; number <= count; number += 1) {
    const paths = await unreadOf(nameOf(number));
    if (paths !== undefined) numbers.push(number);
  }
  return numbers;
}

describe('unread fields', () => {
  it('are looked for in the first 1,000 events of a name, then in each 16th', async () => {
    const numbers = await examined(1_050, () => 'pointsIssued');

    expect(numbers.slice(0, 1_000)).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
    expect(numbers.slice(1_000)).toEqual([1_009, 1_025, 1_041]);
    expect(await unreadOf('pointsExpired')).toEqual(['data.shelf']);
  });

  it('are looked for by source', async () => {
    await examined(1_001, () => 'pointsIssued');
    expect(await unreadOf('pointsIssued')).toBeUndefined();

    parts = { ...parts, source: contextOf().source as PrepareOneParts['source'] };
    expect(await unreadOf('pointsIssued')).toEqual(['data.shelf']);
  });

  it('are never looked for in a replay, which was counted before', async () => {
    expect(await unreadOf('pointsIssued', 1)).toBeUndefined();
    expect(await unreadOf('pointsIssued')).toEqual(['data.shelf']);
  });

  it('are looked for in names beyond the 200th together', async () => {
    await examined(200, (number) => `own${number}`);
    await examined(1_000, (number) => `other${number}`);

    expect(await unreadOf('other1001')).toBeUndefined();
    expect(await unreadOf('own7')).toEqual(['data.shelf']);
  });

  it('are looked for in every event that is mapped for a person', async () => {
    const { source, destination } = contextOf();
    await examined(1_001, () => 'pointsIssued');

    const mapped = await mapEvent(eventWith('pointsIssued', { shelf: 'A' }), {
      ...contextOf(),
      source,
      destination,
    });
    expect(mapped).toMatchObject({ unread: { fields: new Map([['data.shelf', 'A']]) } });
  });
});
