import { expect, it } from 'vitest';
import { causeAt, type TargetFacts } from '../../../src/reconciliation/aep/flow-causes.ts';

const CHANGED_AT = Date.parse('2026-01-31T08:00:00Z');
const MINUTE_MS = 60_000;

const FACTS: TargetFacts = {
  kind: 'event',
  flowId: 'flow',
  datasetId: 'dataset',
  changedAt: CHANGED_AT,
  isDisabled: false,
  isForProfile: true,
  profileExpiryMs: undefined,
};

function cause(minutesAfterChange: number, facts: Partial<TargetFacts> = {}): string {
  const changes = [{ kind: 'event' as const, at: CHANGED_AT }];
  return causeAt(CHANGED_AT + minutesAfterChange * MINUTE_MS, 'event', changes, [{ ...FACTS, ...facts }]);
}

it('records after a change of the dataflow are lost because it is young', () => {
  expect(cause(1)).toBe('flow-too-young');
  expect(cause(10)).toBe('unknown');
  expect(cause(-1)).toBe('unknown');
});

it('after the dataflow was switched off they are lost because it is off, from the first minute', () => {
  expect(cause(1, { isDisabled: true })).toBe('flow-disabled');
  expect(cause(10, { isDisabled: true })).toBe('flow-disabled');
  expect(cause(10, { isDisabled: true, changedAt: undefined })).toBe('flow-disabled');
});

it('a dataset that Profile does not read comes last', () => {
  expect(cause(1, { isForProfile: false })).toBe('flow-too-young');
  expect(cause(10, { isForProfile: false })).toBe('dataset-not-for-profile');
});
