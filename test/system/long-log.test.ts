import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { GeneratedEvent } from '../../src/simulator/capillary/capillary-events.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { run } from '../cli/command-line.ts';
import { ADMIN_TOKEN, KEY, type RelayProcess, relayConfig, relayFolder } from '../helpers/relay-process.ts';

/*
 * What Capillary's log has is read page by page and never held: the memory of a run over ten times
 * as many rows is the same. With LONG_RECONCILE=1 the log has 500,000 rows.
 */

const isLong = process.env['LONG_RECONCILE'] === '1';
const ROWS = isLong ? 500_000 : 12_000;
const HOUR_MS = 3_600_000;
/** The heap may grow a little further during the longer run; the whole log would be 500 MB. */
const MAX_RATIO = 1.5;
/** As in the image. */
const NODE_OPTIONS = '--max-semi-space-size=8';
const TEST_LIMIT_MS = 10 * 60_000;

let simulator: Simulator;
let folder: ReturnType<typeof relayFolder>;
let relay: RelayProcess;
/** Rows so far. */
let added = 0;

/**
 * Entries of events that the relay does not have, the oldest first: half of them over two hours,
 * then half of them within a minute.
 */
function addRows(count: number, hoursAgo: number): void {
  const { capillary } = simulator;
  const start = Date.now() - hoursAgo * HOUR_MS;
  for (let row = 0; row < count; row += 1) {
    added += 1;
    const share = (2 * row) / count;
    const since = share < 1 ? share * 2 * HOUR_MS : 2 * HOUR_MS + (share - 1) * 60_000;
    const generatedAt = Math.floor(start + since);
    const eventId = randomUUID();
    const event: GeneratedEvent = {
      name: 'pointsIssued',
      variant: 'plain',
      eventId,
      body: JSON.stringify({
        eventName: 'pointsIssued',
        eventId,
        orgId: capillary.org,
        refId: `${capillary.org}_${added}`,
        createdAt: generatedAt,
        data: { customerIdentifiers: { customerId: 520_000_000 + (added % 5_000) }, totalPointsIssued: 5 },
      }),
    };
    capillary.addToLog(event, { generatedAt, status: 'FAILED', responseStatus: 503 });
  }
}

beforeAll(async () => {
  simulator = await startSimulator({
    capillary: {
      maxLogged: 2 * ROWS,
      webhooks: [
        {
          name: 'acme-aep-relay',
          active: true,
          delivers: true,
          eventNames: ['pointsIssued'],
          webHookUrl: 'http://127.0.0.1:1/webhooks/acme',
        },
      ],
    },
  });
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
  Object.assign(config.sources[0]!, {
    orgIds: [simulator.capillary.org],
    api: {
      url: simulator.capillaryUrl,
      key: 'key',
      secret: 'secret',
      callsPerMinute: 100_000,
      concurrency: 4,
    },
    webhook: {
      name: 'acme-aep-relay',
      url: 'http://127.0.0.1:1/webhooks/acme',
      events: ['pointsIssued'],
      header: { name: 'X-Relay-Key', value: KEY },
    },
    reconcile: { every: '1d', window: '12h', delay: '1s', resend: false },
  });
  folder = relayFolder(config);
});

afterAll(async () => {
  await folder.remove();
  await simulator.close();
});

/** The peak of the resident memory of a relay that compares the whole log, MiB. */
async function peakMib(): Promise<number> {
  relay = await folder.start({ env: { NODE_OPTIONS } });
  const url = ['--url', relay.adminUrl, '--token', ADMIN_TOKEN];
  const ended = await run(['reconcile', '--source', 'acme', '--since', '12h', '--json', ...url]);
  const { sources } = JSON.parse(ended.stdout);
  expect(ended.code).toBe(1);
  expect(sources[0]).toMatchObject({ sums: { sent: added, missing: added, recovered: 0, accepted: 0 } });
  const status = readFileSync(`/proc/${relay.pid}/status`, 'utf8');
  await relay.stop('SIGTERM');
  return Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1]) / 1_024;
}

it(
  `needs no more memory for ${ROWS} rows of Capillary's log than for a tenth of them`,
  async () => {
    addRows(ROWS / 10, 10);
    const short = await peakMib();
    addRows(ROWS - added, 5);
    const long = await peakMib();
    console.log(`peak memory: ${short} MiB with ${ROWS / 10} rows, ${long} MiB with ${ROWS}`);
    expect(long / short).toBeLessThanOrEqual(MAX_RATIO);
  },
  TEST_LIMIT_MS,
);
