import { describe, expect, it } from 'vitest';
import { splitStale, withStale } from '../../src/delivery/stale-entities.ts';
import { fetchedBill, foundCustomer } from './fake-enricher.ts';

const OLD = 1_000;
const NEW = 2_000;
const customer = (at: number) => foundCustomer(1, {}, at);
const bill = (at: number) => fetchedBill(7, at);

describe('what a replay fetches again', () => {
  it('is each part that was read before it', () => {
    const known = { customer: customer(OLD), bill: bill(NEW) };
    expect(splitStale(known, NEW)).toEqual({
      stored: { bill: bill(NEW) },
      stale: { customer: customer(OLD) },
    });
    expect(splitStale(known, OLD)).toEqual({ stored: known, stale: undefined });
    expect(splitStale(known, undefined)).toEqual({ stored: known });
    expect(splitStale(undefined, NEW)).toEqual({ stored: undefined });
  });

  it('replaces the stale part that was answered, and leaves the other one, which is not missing', () => {
    const stale = { customer: customer(OLD), bill: bill(OLD) };
    const missing = { bill: 'unavailable', requestIds: { bill: 'r1' }, retryIn: 5 } as const;
    expect(withStale({ entities: { customer: customer(NEW) }, missing }, undefined, stale)).toEqual({
      answered: { entities: { customer: customer(NEW), bill: bill(OLD) } },
      unchanged: { bill: bill(OLD) },
    });
  });

  it('is still missing if nothing is stored of it', () => {
    const missing = { customer: 'timeout', bill: 'budget', retryIn: 5 } as const;
    expect(withStale({ entities: {}, missing }, undefined, { bill: bill(OLD) })).toEqual({
      answered: { entities: { bill: bill(OLD) }, missing: { customer: 'timeout', retryIn: 5 } },
      unchanged: { bill: bill(OLD) },
    });
  });

  it('stays as it is for an event that wants nothing any more', () => {
    const stale = { customer: customer(OLD) };
    expect(withStale({}, { bill: bill(NEW) }, stale)).toEqual({
      answered: { entities: { ...stale, bill: bill(NEW) } },
      unchanged: { ...stale, bill: bill(NEW) },
    });
  });

  it('is nothing of a customer who was erased', () => {
    const erased = { at: NEW, calls: [], kind: 'erased' } as const;
    const answer = { entities: { customer: erased } };
    expect(withStale(answer, undefined, { customer: customer(OLD), bill: bill(OLD) })).toEqual({
      answered: answer,
      unchanged: undefined,
    });
  });
});
