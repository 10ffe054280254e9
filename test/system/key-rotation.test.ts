import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { type RelayProcess, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';

const OLD = '11'.repeat(32);
const NEW = '22'.repeat(32);
const EVENTS = 20;
const PRELOAD = new URL('../helpers/crash-at-failpoint.mjs', import.meta.url).href;

let simulator: Simulator;
let folder: ReturnType<typeof relayFolder>;
const config = relayConfig({ imsUrl: '', inletUrl: '' });

beforeAll(async () => {
  simulator = await startSimulator({});
  Object.assign(config.destinations[0]!, { inletUrl: simulator.inletUrl('inlet') });
  Object.assign(config.destinations[0]!['ims'] as object, { url: simulator.imsUrl });
  folder = relayFolder(config);
});

afterAll(async () => {
  await folder.remove();
  await simulator.close();
});

function startWith(keys: readonly string[], env: Record<string, string> = {}): Promise<RelayProcess> {
  config.store['encryptionKeys'] = keys;
  return folder.start({ env });
}

/** The share of the store that is encrypted with the first key, from the metrics. */
async function shareWithFirstKey(relay: RelayProcess): Promise<number> {
  const { body } = await relay.admin('/metrics');
  return Number(/^relay_store_sealed_share (\S+)$/m.exec(body as string)?.[1]);
}

function changeDelivery(relay: RelayProcess, action: 'pause' | 'resume') {
  return relay.admin(`/admin/v1/destinations/acme-aep/${action}`, { method: 'POST' });
}

it('rotates the encryption key through restarts and a crash while it accepts events', async () => {
  const first = await startWith([OLD]);
  // All events stay pending, encrypted, until the end.
  await changeDelivery(first, 'pause');
  for (let n = 0; n < EVENTS; n += 1) expect((await first.post(transactionAdded(n))).status).toBe(200);
  expect(await first.stop('SIGTERM')).toBe(0);

  // Killed between two payloads of a re-encryption step.
  const crash = { NODE_OPTIONS: `--import=${PRELOAD}`, CRASH_AT: 'journal-reencrypting#7' };
  await startWith([NEW, OLD], crash).then(
    (relay) => relay.exited,
    () => undefined,
  );

  const second = await startWith([NEW, OLD]);
  expect((await second.post(transactionAdded(EVENTS))).status).toBe(200);
  const line = await until(() =>
    second.log.find(({ msg }) => msg === 'the whole store is encrypted with the first encryption key'),
  );
  expect(line).toMatchObject({ reencrypted: EVENTS, unreadable: 0 });
  expect(await shareWithFirstKey(second)).toBe(1);
  expect(await second.stop('SIGTERM')).toBe(0);

  const last = await startWith([NEW]);
  await changeDelivery(last, 'resume');
  const ledger = await until(async () => {
    const { body } = await last.admin('/admin/v1/ledger');
    return body.delivered + body.ignored + body.dead === EVENTS + 1 && body;
  });
  expect(ledger).toMatchObject({ accepted: EVENTS + 1, delivered: EVENTS + 1, balanced: true });
  expect(JSON.stringify(last.log)).not.toContain('cannot be decrypted');
});
