import { describe, expect, it } from 'vitest';
import { mapEvent } from '../../src/mapping/map-event.ts';
import { contextOf, fixtureEvent, fixtureNames, plain, readFixture } from './mapping-rig.ts';

describe('a payload and its mapping', () => {
  it.each(fixtureNames)('%s', async (name) => {
    const mapped = await mapEvent(fixtureEvent(name), contextOf());

    expect(plain(mapped)).toEqual(JSON.parse(readFixture(`${name}.xdm`)));
  });

  it('covers the events of the connector, merges, deletions and unusual payloads', () => {
    expect(fixtureNames.length).toBeGreaterThanOrEqual(27);
  });
});
