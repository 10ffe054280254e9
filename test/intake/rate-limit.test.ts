import { afterEach, expect, it } from 'vitest';
import { transactionAdded } from '../fixtures/events.ts';
import { startIntake } from './intake-rig.ts';

let intake: Awaited<ReturnType<typeof startIntake>>;
afterEach(() => intake.close());

it('is divided by the replicas that are alive, so that together they allow about the limit', async () => {
  let replicas = 3;
  const server = { rateLimit: { max: 7, window: '1h' } };
  intake = await startIntake({ server, wrap: () => ({ replicaCount: () => replicas }) });
  const statuses: number[] = [];
  for (let n = 0; n < 4; n += 1) statuses.push((await intake.send(transactionAdded(n))).status);
  expect(statuses).toEqual([200, 200, 200, 429]);
  // The others are gone, and this one has to take what they took.
  replicas = 1;
  expect((await intake.send(transactionAdded(9))).status).toBe(200);
});
