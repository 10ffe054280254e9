import { describe, expect, it } from 'vitest';
import { mapEvent } from '../../src/mapping/map-event.ts';
import { contextOf, fixtureEvent, fixtureNames, plainRecords, readFixture } from './mapping-rig.ts';

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
