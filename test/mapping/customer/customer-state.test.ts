import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  absorbMerged,
  markDeleted,
  parseState,
  serializeState,
  setAttribute,
} from '../../../src/mapping/customer/customer-state.ts';

const LANE = 'org/1';
const OTHER = 'org/2';

const version = fc.record({
  path: fc.constantFrom('loyalty.points', '@p[9].points', 'deletedAt', 'by', 'folded', '__proto__'),
  value: fc.jsonValue({ maxDepth: 1 }).map((value) => JSON.parse(JSON.stringify(value)) as never),
  at: fc.integer({ min: 1, max: 3 }),
  by: fc.constantFrom('', 'a', 'b'),
});

describe('the stored state of a customer', () => {
  it('is read as it was, whatever its attributes are named', () => {
    fc.assert(
      fc.property(fc.array(version), fc.array(version), fc.boolean(), (own, merged, isDeleted) => {
        const state = parseState(undefined);
        for (const { path, ...rest } of own) {
          setAttribute(state.own, path, rest);
        }
        const victim = parseState(undefined);
        for (const { path, ...rest } of merged) {
          setAttribute(victim.own, path, rest);
        }
        absorbMerged(state, LANE, { from: OTHER, into: LANE, state: victim });
        if (isDeleted) {
          markDeleted(state.own, 2);
        }
        const text = serializeState(state);

        expect(parseState(text)).toEqual(state);
        expect(serializeState(parseState(text))).toBe(text);
      }),
    );
  });

  it('has the time of an event once, however many attributes it set', () => {
    const state = parseState(undefined);
    for (const path of ['b', 'a', 'c']) {
      setAttribute(state.own, path, { value: path, at: 7, by: 'x' });
    }

    expect(JSON.parse(serializeState(state))).toEqual({ by: [[7, 'x', 'a', 'a', 'b', 'b', 'c', 'c']] });
  });

  it('of an older relay is stored in the new form with the same attributes', () => {
    const older =
      '{"loyalty.points":{"value":5,"at":9,"by":"x"},"loyalty.tier":{"value":null,"at":1},' +
      '"deletedAt":1,"folded":{"org/2":{"into":["org/1"],"loyalty.points":{"value":1,"at":2,"by":"y"}}}}';
    const state = parseState(older);

    expect(state.own.attributes.get('loyalty.tier')).toEqual({ value: null, at: 1, by: '' });
    expect(parseState(serializeState(state))).toEqual(state);
  });
});
