import { describe, expect, it } from 'vitest';
import type { EventAnswer } from '../../src/cli/admin-answers.ts';
import { formatFitting, type FittingColumn, wrapText } from '../../src/cli/fitting-table.ts';
import { followHeading, followLine } from '../../src/cli/follow-line.ts';
import { formatTable } from '../../src/cli/table.ts';

interface Row {
  readonly name: string;
  readonly host: string;
  readonly detail?: string;
}

const COLUMNS: readonly FittingColumn<Row>[] = [
  { heading: 'NAME', cell: ({ name }) => name, cutTo: 10 },
  { heading: 'HOST', cell: ({ host }) => host, leaveOut: 1 },
  { heading: 'DETAIL', cell: ({ detail }) => detail, below: 'detail' },
];
const DETAIL = 'the organisation refuses this technical account because of https://example.com/'.concat(
  'a'.repeat(70),
);
const ROWS: readonly Row[] = [
  { name: 'acme-aep', host: '192.0.2.1', detail: DETAIL },
  { name: 'other-aep-of-the-night', host: '192.0.2.2' },
];

describe('a table on a terminal', () => {
  it('that fits, or that goes into a pipe, is whole', () => {
    expect(formatFitting(ROWS, COLUMNS, Infinity)).toBe(formatTable(ROWS, COLUMNS));
    expect(formatFitting(ROWS, COLUMNS)).toBe(formatTable(ROWS, COLUMNS));
  });

  it('that is too wide: long texts in full below their rows, then cuts, then fewer columns', () => {
    const lines = formatFitting(ROWS, COLUMNS, 60).split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'NAME                    HOST',
      'acme-aep                192.0.2.1',
      '  detail: the organisation refuses this technical account',
    ]);
    expect(lines.at(-1)).toBe('other-aep-of-the-night  192.0.2.2');
    expect(lines.slice(2, -1).join('').replaceAll(/\s/g, '')).toBe(`detail:${DETAIL}`.replaceAll(' ', ''));
    for (const width of [12, 20, 30, 60, 80])
      for (const line of formatFitting(ROWS, COLUMNS, width).split('\n'))
        expect(line.length).toBeLessThanOrEqual(width);
    expect(formatFitting(ROWS, COLUMNS, 22)).toContain('other-aep-…  192.0.2.2'.slice(0, 9));
    expect(formatFitting(ROWS, COLUMNS, 12)).not.toContain('192.0.2.1');
  });

  it('a word longer than the line is broken where nothing may be lost', () => {
    expect(wrapText('x'.repeat(25), 10, { hang: 2 })).toEqual([
      'x'.repeat(10),
      `  ${'x'.repeat(8)}`,
      `  ${'x'.repeat(7)}`,
    ]);
  });
});

describe('the lines of events --follow', () => {
  const event: EventAnswer = {
    receipt: '0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d01',
    source: 'acme',
    destination: 'acme-aep',
    state: 'dead',
    reason: 'mapping-failed',
    eventName: 'tierDowngradeReturnTransaction',
    customerId: '387450112',
    receivedAt: '2026-01-31T08:00:00.000Z',
    settledAt: '2026-01-31T08:00:09.000Z',
    verifiedBy: 'header',
    failures: 0,
    delivered: [],
    replays: 0,
    bodyBytes: 1,
  };

  it('are whole in a pipe', () => {
    expect(followLine(event, Infinity)).toBe(
      '2026-01-31 08:00:09Z  0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d01  acme          tierDowngradeReturnTransaction  387450112     dead (mapping-failed)',
    );
  });

  it('fit 80 columns on a terminal, below their heading', () => {
    expect([followHeading(80), followLine(event, 80)]).toEqual([
      'TIME       RECEIPT                               EVENT           STATE',
      '08:00:09Z  0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d01  tierDowngrade…  dead (mapping-…',
    ]);
  });
});
