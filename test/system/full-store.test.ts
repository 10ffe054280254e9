import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { type RelayProcess, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';

/** Time after the last landing within which the intake has to be open. */
const REOPEN_LIMIT_MS = 20_000;

let simulator: Simulator;
let folder: ReturnType<typeof relayFolder>;
let relay: RelayProcess;

beforeAll(async () => {
  simulator = await startSimulator({});
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
  Object.assign(config.store, { maxBytes: '24MiB' });
  folder = relayFolder(config);
  relay = await folder.start();
});

afterAll(async () => {
  await folder.remove();
  await simulator.close();
});

let count = 0;
function bigEvent(): object {
  return { ...transactionAdded((count += 1)), pad: 'x'.repeat(20_000) };
}

/** Sends events until one is refused. @returns the events and their receipts */
async function fill(): Promise<{ events: object[]; receipts: string[] }> {
  const [events, receipts]: [object[], string[]] = [[], []];
  for (;;) {
    const group = Array.from({ length: 8 }, bigEvent);
    const answers = await Promise.all(group.map((event) => relay.post(event)));
    for (const [index, answer] of answers.entries()) {
      if (answer.status !== 200) continue;
      events.push(group[index]!);
      receipts.push(((await answer.json()) as { receipt: string }).receipt);
    }
    const refused = answers.find(({ status }) => status !== 200);
    if (refused === undefined) continue;
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: 'store-full' });
    return { events, receipts };
  }
}

it('a store that was filled in an outage is open again soon after everything has landed', async () => {
  simulator.setFaults([{ on: 'any', then: { status: 503 } }]);
  const { events, receipts } = await fill();
  expect(receipts.length).toBeGreaterThan(100);
  expect(await relay.admin(`/admin/v1/events/${receipts[0]}`)).toMatchObject({
    body: { state: 'pending', hasBody: true },
  });

  simulator.setFaults([]);
  await until(async () => (await relay.admin('/admin/v1/ledger')).body.pending === 0);
  const landedAt = performance.now();
  const reopened = await until(async () => {
    const answer = await relay.post(bigEvent());
    return answer.status === 200 && answer;
  });
  const reopenedAfter = performance.now() - landedAt;
  expect(reopenedAfter).toBeLessThan(REOPEN_LIMIT_MS);
  expect(await reopened.json()).toMatchObject({ status: 'accepted' });

  // Nothing is forgotten: neither the events nor that they were seen.
  const { body: ledger } = await relay.admin('/admin/v1/ledger');
  expect(ledger).toMatchObject({ accepted: receipts.length + 1, dead: 0, balanced: true });
  const repeated = await relay.post(events[0]!);
  expect(await repeated.json()).toMatchObject({ status: 'duplicate', receipt: receipts[0] });
  expect(await relay.admin(`/admin/v1/events/${receipts[0]}`)).toMatchObject({
    status: 200,
    body: { state: 'delivered', hasBody: false },
  });
  await until(() => relay.log.some(({ msg }) => String(msg).startsWith('the store was full')));
  const metrics = await (await fetch(`${relay.adminUrl}/metrics`)).text();
  expect(Number(/^relay_store_made_room_total\{part="bodies"\} (\d+)$/mu.exec(metrics)?.[1])).toBeGreaterThan(
    0,
  );
});
