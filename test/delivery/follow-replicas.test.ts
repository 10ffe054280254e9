import { expect, it } from 'vitest';
import { followReplicas } from '../../src/delivery/follow-replicas.ts';
import { until } from '../helpers/until.ts';

it('reports the first of failures in a row, so that an outage is one line of the log', async () => {
  const stop = new AbortController();
  const reported: string[] = [];
  const outcomes = [undefined, 'first', 'second', undefined, 'third', 'fourth'];
  let calls = 0;
  const following = followReplicas(
    { onShares: () => () => undefined, replicaCount: () => 2 },
    1,
    async () => {
      const failure = outcomes[calls];
      calls += 1;
      if (failure !== undefined) throw new Error(failure);
    },
    { signal: stop.signal, onError: (error) => reported.push((error as Error).message) },
  );
  await until(() => calls >= outcomes.length);
  stop.abort();
  await following;
  expect(reported).toEqual(['first', 'third']);
});
