import { describe, expect, it } from 'vitest';
import { ProblemError } from '../../src/http/problems.ts';
import { discardBody, toFilter, quarantineBody, parseInput, replayBody } from '../../src/admin/requests.ts';

const REFUSED: readonly (readonly [unknown, string])[] = [
  [null, 'body: must have either receipts or filter'],
  [undefined, 'body: must have either receipts or filter'],
  [[], 'body: must have either receipts or filter'],
  [{}, 'body: must have either receipts or filter'],
  [{ receipts: ['a'], filter: { source: 'acme' } }, 'body: must have either receipts or filter'],
  [{ filter: {} }, 'filter: is empty; set a field, or add "all": true'],
  [{ filter: {}, all: false }, 'filter: is empty'],
  [{ filter: { source: 'acme' }, all: true }, 'all: is allowed only with an empty filter'],
  [{ receipts: ['a'], all: true }, 'all: is allowed only with an empty filter'],
  [{ receipts: [] }, 'receipts: must be an array of 1 to 1000 receipts'],
  [{ receipts: Array.from({ length: 1_001 }, String) }, 'use filter for more'],
  [{ receipts: 'a' }, 'receipts: must be an array'],
  [{ receipts: [1] }, 'receipts.0: must be a receipt'],
  [{ filter: 'all' }, 'filter: must be an object such as'],
  [{ filter: { state: 'dead' } }, 'filter.state: is not a known field; remove it'],
  [{ filter: { source: 7 } }, 'filter.source: must be a string'],
  [{ filter: { since: 'now' } }, 'filter.since: must be a time such as'],
  [{ filter: { since: 2, until: 1 } }, 'filter.until: must be later than since'],
  [{ filter: {}, all: true, dryRun: 'yes' }, 'dryRun: must be true or false'],
  [{ filter: {}, all: true, force: true }, 'force: is not a known field'],
];

const bodies = { replay: replayBody, discard: discardBody, quarantine: quarantineBody };

describe.each(Object.entries(bodies))('a body that selects what to %s', (_name, schema) => {
  it.each(REFUSED)('is refused: %j', (json, detail) => {
    const read = () => parseInput(schema, json);
    expect(read).toThrow(ProblemError);
    expect(read).toThrow(detail);
  });

  it('accepts receipts and removes repeated ones', () => {
    const { dryRun, ...selection } = parseInput(schema, { receipts: ['a', 'b', 'a'] });
    expect(toFilter(selection)).toEqual({ receipts: ['a', 'b'] });
    expect(dryRun).toBe(false);
  });

  it('accepts a filter, with times in both forms', () => {
    const filter = { source: 'acme', since: '2026-01-31T08:00:00Z', until: 1_769_846_400_001 };
    const { dryRun, ...selection } = parseInput(schema, { filter, dryRun: true });
    expect(toFilter(selection)).toEqual({
      source: 'acme',
      since: 1_769_846_400_000,
      until: 1_769_846_400_001,
    });
    expect(dryRun).toBe(true);
  });

  it('selects everything if explicitly requested', () => {
    expect(toFilter(parseInput(schema, { filter: {}, all: true }))).toEqual({});
  });
});

it('accepts only the options of its action', () => {
  expect(parseInput(replayBody, { receipts: ['a'], asNew: true }).asNew).toBe(true);
  expect(() => parseInput(discardBody, { receipts: ['a'], asNew: true })).toThrow(
    'asNew: is not a known field',
  );
  expect(() => parseInput(quarantineBody, { filter: { reason: 'x' } })).toThrow(
    'filter.reason: is not a known field',
  );
});

it('reports a few errors and repeats no value', () => {
  const json = { receipts: [1, 2, 3, 4], secret: 'value-of-the-caller' };
  const read = () => parseInput(replayBody, json);
  expect(read).toThrow(/^receipts\.0: [^;]+; receipts\.1: [^;]+; receipts\.2: [^;]+$/);
  expect(read).not.toThrow('value-of-the-caller');
});
