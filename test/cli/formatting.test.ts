import { describe, expect, it } from 'vitest';
import { splitBodies } from '../../src/cli/map/event-bodies.ts';
import { readTime } from '../../src/cli/command-options.ts';
import { formatBalance, formatUnconfigured } from '../../src/cli/ledger-command.ts';
import { formatTime, formatDuration } from '../../src/cli/time-format.ts';
import { formatTable, toPrintable } from '../../src/cli/table.ts';
import { selectionOf } from '../../src/cli/bulk-action.ts';

describe('tables', () => {
  it('are aligned, with numbers on the right, and without empty columns', () => {
    const table = formatTable(
      [
        { name: 'acme', count: 7 },
        { name: 'b', count: 1200 },
      ],
      [
        { heading: 'NAME', cell: ({ name }) => name },
        { heading: 'COUNT', cell: ({ count }) => count },
        { heading: 'EMPTY', cell: () => undefined },
      ],
    );
    expect(table).toBe('NAME  COUNT\nacme      7\nb      1200');
  });

  it('escape control characters of foreign texts', () => {
    expect(toPrintable('a\u001b[2J\u009b1m\nb\u202e')).toBe(String.raw`a\u{1b}[2J\u{9b}1m b\u{202e}`);
  });
});

describe('times', () => {
  it('are parsed relative to now, or left to the relay', () => {
    const now = Date.UTC(2026, 0, 2);
    expect(readTime('24h', now)).toBe(String(Date.UTC(2026, 0, 1)));
    expect(readTime('2026-01-31', now)).toBe('2026-01-31');
  });

  it('are printed briefly', () => {
    expect(formatTime('2026-01-31T08:00:00.123Z')).toBe('2026-01-31 08:00:00Z');
    expect([350, 12_000, 300_000, 12_000_000, 187_200_000].map(formatDuration)).toEqual([
      '350 ms',
      '12 s',
      '5 min',
      '3 h 20 min',
      '2 d 4 h',
    ]);
  });
});

describe('bodies', () => {
  it.each([
    ['one event over lines', '{\n"a": 1\n}', ['{\n"a": 1\n}']],
    ['an array', '[{"a":1},{"b":2}]', ['{"a":1}', '{"b":2}']],
    ['lines', '{"a":1}\r\n\n{"b":2}\n', ['{"a":1}', '{"b":2}']],
    ['a broken line among lines', '{"a":1}\n{"b"', ['{"a":1}', '{"b"']],
    ['not JSON', 'hello\nthere', ['hello\nthere']],
    [
      'a long number in an array keeps its digits',
      '[{"id":12345678901234567890}]',
      ['{"id":"12345678901234567890"}'],
    ],
  ])('%s', (_what, text, bodies) => {
    expect(splitBodies(text)).toEqual(bodies);
  });
});

describe('selections', () => {
  it('are receipts, a filter or --all: exactly one of them', () => {
    expect(selectionOf(['r'], {}, ['source'])).toEqual({ receipts: ['r'] });
    expect(selectionOf([], { source: 'a', reason: 'x' }, ['source'])).toEqual({ filter: { source: 'a' } });
    expect(selectionOf([], { all: true }, ['source'])).toEqual({ filter: {}, all: true });
    expect(() => selectionOf([], {}, ['source'])).toThrow('--all');
    expect(() => selectionOf(['r'], { source: 'a' }, ['source'])).toThrow('either');
  });
});

describe('the ledger', () => {
  it('names the source whose events are unaccounted for', () => {
    const counts = {
      accepted: 5,
      pending: 1,
      delivered: 2,
      ignored: 0,
      dead: 1,
      malformed: 0,
      quarantined: 0,
      balanced: false,
    };
    expect(formatBalance({ ...counts, sources: { acme: { ...counts, configured: true } } })).toBe(
      'accepted 5 ≠ pending 1 + delivered 2 + ignored 0 + dead 1\nTHE LEDGER DOES NOT BALANCE: acme: 1 unaccounted for',
    );
    const former = { ...counts, pending: 8, configured: false };
    const sources = { acme: { ...counts, configured: true }, former };
    expect(formatUnconfigured({ ...counts, sources })).toEqual([
      'former is not configured: 8 of its events wait until it is again',
    ]);
  });
});
