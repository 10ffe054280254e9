import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import type {
  DestinationReconciliationAnswer,
  DifferenceAnswer,
  SourceReconciliationAnswer,
} from '../../src/cli/reconcile/reconciliation-answer.ts';
import { formatDestination, formatSource } from '../../src/cli/reconcile/reconciliation-text.ts';
import { reconciliationLines } from '../../src/cli/status/reconciliation-lines.ts';

const SOURCE: SourceReconciliationAnswer = {
  source: 'acme',
  state: 'ok',
  lastRunAt: '2026-01-31T08:00:00.000Z',
  coveredFrom: '2026-01-30T08:00:00.000Z',
  seesUntil: '2026-01-31T07:50:00.000Z',
  sums: { sent: 10, accepted: 7, recovered: 2, unrecoverable: 1, missing: 0 },
  differences: [],
  open: {},
};

const DESTINATION: DestinationReconciliationAnswer = {
  destination: 'acme-aep',
  state: 'ok',
  seesLakeUntil: '2026-01-31T07:00:00.000Z',
  seesProfileUntil: '2026-01-31T07:45:00.000Z',
  sums: { delivered: 8, landed: 6, refusedLater: 1, unconfirmed: 1 },
  readBack: { events: 2, profiles: 1 },
  differences: [],
  open: {},
};

const NO_PAYLOAD: DifferenceAnswer = {
  kind: 'no-payload',
  cause: 'relay-unreachable',
  count: 1,
  open: true,
  eventId: 'e-1',
  eventName: 'transactionAdded',
  detail: 'the log has no payload',
};

function source(changes: Partial<SourceReconciliationAnswer> = {}, given = {}): string {
  return stripVTControlCharacters(formatSource({ ...SOURCE, ...changes }, given));
}

it('says what was compared, and that nothing is left to do', () => {
  expect(source()).toBe(
    [
      'acme, sent by Capillary: nothing is left to do',
      'events from 2026-01-30 08:00:00Z to 2026-01-31 07:50:00Z',
      'sent 10 = accepted 7 + recovered 2 + unrecoverable 1 + missing 0',
    ].join('\n'),
  );
  expect(stripVTControlCharacters(formatDestination(DESTINATION, {}))).toBe(
    [
      'acme-aep, landed in AEP: nothing is left to do',
      'data lake until 2026-01-31 07:00:00Z, Profile until 2026-01-31 07:45:00Z',
      'delivered 8 = landed 6 + refused later 1 + unconfirmed 1',
      'read back from Profile since the start: 2 events, 1 profiles',
    ].join('\n'),
  );
});

it('lists what is open first, with each fix once, for the relay that was asked', () => {
  const fix = 'capillary-relay reconcile --source acme --resend';
  const done: DifferenceAnswer = { ...NO_PAYLOAD, kind: 'answer-lost', open: false, fix: 'nobody needs it' };
  const text = source(
    {
      state: 'differences',
      open: { 'no-payload': 2 },
      differences: [
        ...Array.from({ length: 30 }, () => done),
        { ...NO_PAYLOAD, fix },
        { ...NO_PAYLOAD, eventId: 'e-2', fix },
        { ...NO_PAYLOAD, eventId: 'e-3', fix: 'make it smaller (docs/mapping.md), then wait' },
      ],
    },
    { config: 'my relay.yaml' },
  );
  const lines = text.split('\n');
  expect(lines[0]).toBe('acme, sent by Capillary: LEFT TO DO: no-payload 2');
  expect(lines[3]).toMatch(/^STATE +DIFFERENCE +CAUSE +COUNT +EVENT +NAME +DETAIL$/);
  expect(lines[4]).toMatch(/^open +no-payload +relay-unreachable +1 +e-1 +transactionAdded /);
  expect(lines.filter((line) => line.startsWith('done'))).toHaveLength(10);
  expect(lines.slice(-3)).toEqual([
    'What to do:',
    `  ${fix} --config 'my relay.yaml'`,
    '  make it smaller (docs/mapping.md), then wait',
  ]);
});

it('says why it was not compared completely, before anything else', () => {
  const problem = { code: 'forbidden', detail: 'the access group lacks Read on Webhooks', fix: 'add it' };
  const lines = source({ state: 'failing', problem }).split('\n');
  expect(lines.slice(0, 2)).toEqual([
    'acme, sent by Capillary: NOT COMPARED COMPLETELY (forbidden)',
    'the access group lacks Read on Webhooks',
  ]);
  expect(lines.at(-1)).toBe('  add it');
  const { seesUntil: _, coveredFrom: __, ...unseen } = SOURCE;
  expect(stripVTControlCharacters(formatSource({ ...unseen, state: 'never' }, {}))).toBe(
    'acme, sent by Capillary: not compared yet',
  );
});

it('shows a line for each in the status, yellow if someone is needed', () => {
  const now = Date.parse('2026-01-31T08:00:00Z');
  const open = { 'counts-differ': 3 };
  const problem = { code: 'unavailable', detail: 'no answer' };
  const lines = reconciliationLines(
    {
      sources: [SOURCE, { ...SOURCE, source: 'b', problem }],
      destinations: [{ ...DESTINATION, open }],
      runs: [],
    },
    now,
  );
  expect(lines.map(({ text, tone }) => [text, tone])).toEqual([
    [
      'compared  acme: sent 10 = accepted 7 + recovered 2 + unrecoverable 1 + missing 0; as of 10 min ago',
      undefined,
    ],
    [expect.stringMatching(/^compared {2}b: not compared completely, unavailable; sent 10 /), 'yellow'],
    [
      'compared  acme-aep: left to do: counts-differ 3; delivered 8 = landed 6 + refused later 1 + unconfirmed 1; as of 1 h 0 min ago',
      'yellow',
    ],
  ]);
});
