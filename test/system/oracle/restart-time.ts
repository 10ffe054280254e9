import { generateEvents } from '../../../src/simulator/capillary/capillary-events.ts';
import { sendEvents } from '../../../src/simulator/capillary/webhook-sender.ts';
import { startSimulator } from '../../../src/simulator/simulator.ts';
import { WAIT_LIMIT_MS } from '../../helpers/limits.ts';
import { KEY, relayConfig, relayFolder } from '../../helpers/relay-process.ts';
import { ORG_ID } from './harness.ts';

/** A relay must be ready again within this time, however large its backlog is. */
const MAX_STARTUP_MS = 2_000;
const RESTARTS = 5;

/**
 * Fills a relay with pending events while Adobe is down, then kills and restarts it several times.
 * Prints the time of each start.
 * @param count number of pending events
 * @returns whether each start was fast enough
 */
export async function measureRestartTime(count: number): Promise<boolean> {
  const simulator = await startSimulator({ faults: [{ on: 'any', then: { status: 503, retryAfter: 1 } }] });
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
  config.server['rateLimit'] = { max: 1_000_000, window: '1s' };
  config.sources[0]!['orgIds'] = [ORG_ID];
  const folder = relayFolder(config);
  const startupTimesMs: number[] = [];
  try {
    let relay = await folder.start({ keepLine: () => false });
    const report = await sendEvents({
      url: `${relay.intakeUrl}/webhooks/acme`,
      events: generateEvents({ count, customers: Math.ceil(count / 10), orgId: ORG_ID }),
      count,
      concurrency: 128,
      sign: () => ({ 'x-relay-key': KEY }),
    });
    console.log(`${report.accepted} of ${count} events accepted`);
    for (let restart = 0; restart < RESTARTS; restart += 1) {
      await relay.stop('SIGKILL');
      const started = performance.now();
      relay = await folder.start({ keepLine: () => false });
      startupTimesMs.push(Math.round(performance.now() - started));
      const { pending } = (await relay.admin('/admin/v1/ledger')).body as { pending: number };
      console.log(`ready ${startupTimesMs.at(-1)} ms after the start, with ${pending} events pending`);
    }
    const recovered = performance.now();
    simulator.setFaults([]);
    await simulator.until(({ landed }) => landed > 0, AbortSignal.timeout(WAIT_LIMIT_MS));
    const landedMs = Math.round(performance.now() - recovered);
    console.log(`first message landed ${landedMs} ms after Adobe had recovered`);
    return report.accepted > count * 0.99 && startupTimesMs.every((ms) => ms < MAX_STARTUP_MS);
  } finally {
    await folder.remove();
    await simulator.close();
  }
}
