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
      'acknowledged 8 = landed 6 + refused later 1 + unconfirmed 1',
      'look-ups in Profile so far: events 2, profiles 1',
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
  expect(lines.filter((line) => line.startsWith('done'))).toEqual([
    expect.stringMatching(
      /^done +answer-lost +relay-unreachable +30 +e-1 +such as this one \(--json has each\): /,
    ),
  ]);
  expect(lines.slice(-3)).toEqual([
    'What to do:',
    `  ${fix} --config 'my relay.yaml'`,
    '  make it smaller (docs/mapping.md), then wait',
  ]);
});

it('shows one closed difference whole, and counts the open ones that the answer leaves out', () => {
  const done: DifferenceAnswer = { ...NO_PAYLOAD, kind: 'given-up', open: false };
  const text = source({
    state: 'differences',
    open: { 'no-payload': 250 },
    differences: [{ ...NO_PAYLOAD, count: 8 }, done],
  });
  const lines = text.split('\n');
  expect(lines[5]).toMatch(
    /^done +given-up +relay-unreachable +1 +e-1 +transactionAdded +the log has no payload$/,
  );
  expect(lines.at(-1)).toBe('and 242 more that are open');
});

it('replays all events of a cause with one command', () => {
  const receipt = (last: number): string => `01a22d89-83d4-731c-9e9c-00000000000${last}`;
  const lost = (last: number, before = ''): DifferenceAnswer => ({
    ...NO_PAYLOAD,
    kind: 'not-in-aep',
    receipt: receipt(last),
    fix: `${before}capillary-relay events replay ${receipt(last)} --states delivered --as-new`,
  });
  const differences = [lost(1), lost(2), lost(3, 'enable the dataflow in AEP, then: '), lost(1)];
  const text = formatDestination(
    { ...DESTINATION, open: { 'not-in-aep': 4 }, differences },
    { url: 'http://relay:8081' },
  );
  expect(stripVTControlCharacters(text).split('\n').slice(-3)).toEqual([
    'What to do:',
    `  capillary-relay events replay ${receipt(1)} ${receipt(2)} --states delivered --as-new --url http://relay:8081`,
    `  enable the dataflow in AEP, then: capillary-relay events replay ${receipt(3)} --states delivered --as-new --url http://relay:8081`,
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
      'compared  acme-aep: left to do: counts-differ 3; acknowledged 8 = landed 6 + refused later 1 + unconfirmed 1; as of 1 h 0 min ago',
      'yellow',
    ],
  ]);
});
