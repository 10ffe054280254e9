import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { startSimulator } from '../../src/simulator/simulator.ts';

/*
 * Both platforms as reconciliation reads them, in a process of their own: a delivery log whose rows
 * are of the last minutes, so that every run reads all of them again, and an AEP without failures.
 */
const { values } = parseArgs({ options: { rows: { type: 'string', default: '0' } } });
const rows = Number(values.rows);
const EVENT = 'pointsIssued';
/** Within the time that each run compares again. */
const AGE_MS = 300_000;

const simulator = await startSimulator({
  capillary: {
    orgId: 100_458,
    maxLogged: rows,
    tokenTtlSeconds: 86_400,
    webhooks: [
      {
        name: 'bench',
        active: true,
        delivers: true,
        eventNames: [EVENT],
        webHookUrl: 'http://127.0.0.1:1/webhooks/acme',
      },
    ],
  },
});

const { capillary } = simulator;
const oldest = Date.now() - AGE_MS;
for (let row = 0; row < rows; row += 1) {
  const eventId = randomUUID();
  const generatedAt = oldest + Math.floor((row * (AGE_MS - 60_000)) / rows);
  const data = { customerIdentifiers: { customerId: 520_000_000 + (row % 20_000) }, totalPointsIssued: 5 };
  const body = JSON.stringify({
    eventName: EVENT,
    eventId,
    orgId: capillary.org,
    createdAt: generatedAt,
    data,
  });
  capillary.addToLog(
    { name: EVENT, variant: 'plain', body, eventId },
    { generatedAt, status: 'FAILED', responseStatus: 503 },
  );
}
process.send?.({ url: simulator.url, imsUrl: simulator.imsUrl });
