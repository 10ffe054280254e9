import { describe, expect, it } from 'vitest';
import { ProblemError } from '../../src/errors.ts';
import { readInput } from '../../src/admin/input.ts';
import { discardBody, filterFrom, quarantineBody, replayBody } from '../../src/admin/selection.ts';

const REFUSED: readonly (readonly [unknown, string])[] = [
  [undefined, 'body: give either receipts or filter'],
  [[], 'body: give either receipts or filter'],
  [{}, 'body: give either receipts or filter'],
  [{ receipts: ['a'], filter: { source: 'acme' } }, 'body: give either receipts or filter'],
  [{ filter: {} }, 'filter: is empty; name what is meant, or say "all": true'],
  [{ filter: {}, all: false }, 'filter: is empty'],
  [{ filter: { source: 'acme' }, all: true }, 'all: goes with an empty filter only'],
  [{ receipts: ['a'], all: true }, 'all: goes with an empty filter only'],
  [{ receipts: [] }, 'receipts: must be a list of 1 to 1000 receipts'],
  [{ receipts: Array.from({ length: 1_001 }, String) }, 'for more use filter'],
  [{ receipts: 'a' }, 'receipts: must be a list'],
  [{ receipts: [1] }, 'receipts.0: must be a receipt'],
  [{ filter: 'all' }, 'filter: must be an object such as'],
  [{ filter: { state: 'dead' } }, 'filter.state: is not known here; leave it out'],
  [{ filter: { source: 7 } }, 'filter.source: must be a text'],
  [{ filter: { since: 'now' } }, 'filter.since: must be a time such as'],
  [{ filter: { since: 2, until: 1 } }, 'filter.until: must be later than since'],
  [{ filter: {}, all: true, dryRun: 'yes' }, 'dryRun: must be true or false'],
  [{ filter: {}, all: true, force: true }, 'force: is not known here'],
];

const bodies = { replay: replayBody, discard: discardBody, quarantine: quarantineBody };

describe.each(Object.entries(bodies))('a body that chooses what to %s', (_name, schema) => {
  it.each(REFUSED)('is refused: %j', (json, detail) => {
    const read = () => readInput(schema, json);
    expect(read).toThrow(ProblemError);
    expect(read).toThrow(detail);
  });

  it('takes receipts, each once', () => {
    const { dryRun, ...selection } = readInput(schema, { receipts: ['a', 'b', 'a'] });
    expect(filterFrom(selection)).toEqual({ receipts: ['a', 'b'] });
    expect(dryRun).toBe(false);
  });

  it('takes a filter, its times in either form', () => {
    const filter = { source: 'acme', since: '2026-01-31T08:00:00Z', until: 1_769_846_400_001 };
    const { dryRun, ...selection } = readInput(schema, { filter, dryRun: true });
    expect(filterFrom(selection)).toEqual({
      source: 'acme',
      since: 1_769_846_400_000,
      until: 1_769_846_400_001,
    });
    expect(dryRun).toBe(true);
  });

  it('takes everything when it is said', () => {
    expect(filterFrom(readInput(schema, { filter: {}, all: true }))).toEqual({});
  });
});

it('has options of its own for each action only', () => {
  expect(readInput(replayBody, { receipts: ['a'], asNew: true }).asNew).toBe(true);
  expect(() => readInput(discardBody, { receipts: ['a'], asNew: true })).toThrow('asNew: is not known here');
  expect(() => readInput(quarantineBody, { filter: { reason: 'x' } })).toThrow('filter.reason: is not known');
});

it('tells a few findings and repeats no value', () => {
  const json = { receipts: [1, 2, 3, 4], secret: 'value-of-the-caller' };
  const read = () => readInput(replayBody, json);
  expect(read).toThrow(/^receipts\.0: [^;]+; receipts\.1: [^;]+; receipts\.2: [^;]+$/);
  expect(read).not.toThrow('value-of-the-caller');
});
