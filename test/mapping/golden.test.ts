import { describe, expect, it } from 'vitest';
import { mapEvent } from '../../src/mapping/map-event.ts';
import {
  contextOf,
  enrichedFixture,
  enrichedNames,
  fixtureEvent,
  fixtureNames,
  plainRecords,
  readEnriched,
  readFixture,
} from './mapping-rig.ts';

describe('a payload and its mapping', () => {
  it.each(fixtureNames)('%s', async (name) => {
    const [event, context] = [fixtureEvent(name), contextOf()];
    const mapped = await mapEvent(event, context);

    expect(plainRecords(event, mapped, context)).toEqual(JSON.parse(readFixture(`${name}.xdm`)));
  });

  it('covers the events of the connector, merges, deletions and unusual payloads', () => {
    expect(fixtureNames.length).toBeGreaterThanOrEqual(27);
  });
});

describe('an event with what the API said, and its mapping', () => {
  it.each(enrichedNames)('%s', async (name) => {
    const { event, context } = enrichedFixture(name);
    const mapped = await mapEvent(event, context);

    expect(plainRecords(event, mapped, context)).toEqual(JSON.parse(readEnriched(`${name}.xdm`)));
  });
});
