import { describe, expect, it } from 'vitest';
import {
  type AttributeVersion,
  type CustomerState,
  parseState,
  serializeState,
  setAttribute,
} from '../../../src/mapping/customer/customer-state.ts';
import { MAX_LOG_ENTRIES } from '../../../src/mapping/customer/points-log.ts';
import { prunePointsLogs } from '../../../src/mapping/customer/prune-points-log.ts';
import { createHistory, issued, joined, lotsOf, redeemed } from './history-rig.ts';

const entries = Array.from({ length: MAX_LOG_ENTRIES + 50 }, (_, at): [string, AttributeVersion] => [
  `@p[973].log[e${at}]`,
  { value: { b: at }, at: 1_000 + at, by: 'a' },
]);

/** The state after changes that arrive one after the other. */
function stateAfter(changes: readonly (readonly [string, AttributeVersion])[]): CustomerState {
  const state = parseState(undefined);
  for (const [path, version] of changes) {
    setAttribute(state.own, path, version);
    prunePointsLogs(state.own.attributes);
  }
  return state;
}

describe('the log of a program', () => {
  it('has its newest events, in whatever order they arrive', () => {
    const state = stateAfter(entries);

    expect([...state.own.attributes.keys()]).toEqual(entries.slice(50).map(([path]) => path));
    expect(serializeState(stateAfter(entries.toReversed()))).toBe(serializeState(state));
    const mixed = [...entries.slice(100), ...entries.slice(0, 100), ...entries.slice(30, 60)];
    expect(serializeState(stateAfter(mixed))).toBe(serializeState(state));
  });

  it('is bounded for each program, and nothing else is removed', () => {
    const others = entries.map(([path, version]): [string, AttributeVersion] => [
      path.replace('973', '99'),
      version,
    ]);
    const rest: [string, AttributeVersion][] = [
      ['@p[973].points', { value: 1, at: 1, by: '' }],
      ['loyalty.joinDate', { value: 'x', at: 1, by: '' }],
    ];
    const { attributes } = stateAfter([...rest, ...entries, ...others]).own;

    expect(attributes.size).toBe(2 * MAX_LOG_ENTRIES + rest.length);
  });

  it('that lacks earlier events proves nothing about them', async () => {
    const history = createHistory();
    await history.send(joined(), issued(1, [[1_000, 900]], 1_000), redeemed(2, 1, 999));
    const rest = Array.from({ length: MAX_LOG_ENTRIES }, (_, at) => ({
      ...redeemed(3, 1, 998 - at),
      eventId: `r${at}`,
      day: 3 + at / 1_000,
    }));
    const { loyalty } = await history.send(...rest);

    expect(loyalty['points']).toBe(999 - MAX_LOG_ENTRIES);
    expect(loyalty['pointsRedeemed']).toBeUndefined();
    expect(lotsOf(loyalty)).toBeUndefined();
  });
});
