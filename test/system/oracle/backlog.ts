import { generateEvents } from '../../../src/simulator/capillary-events.ts';
import { sendEvents } from '../../../src/simulator/sender.ts';
import { startSimulator } from '../../../src/simulator/simulator.ts';
import { KEY, relayConfig, relayFolder } from '../../helpers/relay-process.ts';
import { ORG_ID } from './judge.ts';

/** ms in which a relay must be ready again (issue "Nothing lost"). */
const READY_WITHIN = 2_000;
/** Restarts that are measured. */
const TIMES = 5;

/**
 * Fills a relay with so many pending events while Adobe is down, kills it and starts it again, some times over. Prints each figure.
 * @returns true when the relay was ready in time each time and then delivered
 */
export const measureBacklog = async (count: number): Promise<boolean> => {
  const simulator = await startSimulator({ faults: [{ on: 'any', then: { status: 503, retryAfter: 1 } }] });
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
  config.server['rateLimit'] = { max: 1_000_000, window: '1s' };
  config.sources[0]!['orgIds'] = [ORG_ID];
  const folder = relayFolder(config);
  const figures: number[] = [];
  try {
    let relay = await folder.start({ keeps: () => false });
    const report = await sendEvents({
      url: `${relay.intakeUrl}/webhooks/acme`,
      events: generateEvents({ count, customers: Math.ceil(count / 10), orgId: ORG_ID }),
      count,
      concurrency: 128,
      sign: () => ({ 'x-relay-key': KEY }),
    });
    console.log(`${report.accepted} of ${count} events accepted`);
    for (let time = 0; time < TIMES; time += 1) {
      await relay.end('SIGKILL');
      const began = performance.now();
      relay = await folder.start({ keeps: () => false });
      figures.push(Math.round(performance.now() - began));
      const { pending } = (await relay.admin('/admin/v1/ledger')).body as { pending: number };
      console.log(`ready ${figures.at(-1)} ms after the start, with ${pending} events pending`);
    }
    const began = performance.now();
    simulator.setFaults([]);
    await simulator.until(({ landed }) => landed > 0, AbortSignal.timeout(30_000));
    console.log(
      `first message landed ${Math.round(performance.now() - began)} ms after Adobe was well again`,
    );
    return report.accepted > count * 0.99 && figures.every((ms) => ms < READY_WITHIN);
  } finally {
    await folder.remove();
    await simulator.close();
  }
};
