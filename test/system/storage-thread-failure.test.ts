import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';

/**
 * Preload of the relay: terminates its storage thread on a signal, as a fault in native code would.
 */
const PRELOAD = `
process.once('worker', (worker) => process.once('SIGWINCH', () => void worker.terminate()));
`;

const folder = mkdtempSync(join(tmpdir(), 'relay-fault-'));
let simulator: Simulator;
let relays: ReturnType<typeof relayFolder>;

beforeAll(async () => {
  writeFileSync(join(folder, 'fault.mjs'), PRELOAD);
  simulator = await startSimulator({});
  relays = relayFolder(relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl('inlet') }));
});

afterAll(async () => {
  await relays.remove();
  await simulator.close();
  rmSync(folder, { recursive: true });
});

describe('a storage thread that dies', () => {
  it('makes the process exit with a fatal log line; the next one has all events', async () => {
    const fault = pathToFileURL(join(folder, 'fault.mjs')).href;
    const relay = await relays.start({ env: { NODE_OPTIONS: `--import=${fault}` } });
    expect((await relay.admin('/livez')).body.checks).toMatchObject([
      { name: 'event-loop', ok: true },
      { name: 'storage-thread', ok: true },
    ]);
    const { receipt } = (await (await relay.post(transactionAdded(1))).json()) as { receipt: string };

    expect(await relay.stop('SIGWINCH')).toBe(1);
    const last = await until(() => relay.log.find((line) => line['level'] === 'fatal'));
    expect(last['msg']).toBe('the journal has failed; exiting');

    const next = await relays.start();
    expect((await next.admin(`/admin/v1/events/${receipt}`)).status).toBe(200);
    expect(await next.stop('SIGTERM')).toBe(0);
  });
});
