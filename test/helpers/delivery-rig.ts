import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTokenSource } from '../../src/adobe/ims-client.ts';
import { createInlet } from '../../src/adobe/inlet-client.ts';
import { parseEvent } from '../../src/capillary/envelope.ts';
import { configSchema, type Config } from '../../src/config/schema.ts';
import { createDestinations, type Destinations } from '../../src/delivery/destinations.ts';
import type { MappingReport, RequestReport } from '../../src/delivery/observer.ts';
import { newEvent } from '../../src/intake/accept.ts';
import type { ClaimedEvent, EventRecord, Journal, Settlement } from '../../src/journal/journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/journal.ts';
import type { SimulatorOptions } from '../../src/simulator/simulator-options.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { xdmId } from '../../src/xdm/xdm-id.ts';
import { type RelayConfig, relayConfig } from './relay-process.ts';

export interface DeliveryRig {
  readonly simulator: Simulator;
  readonly journal: Journal;
  readonly destinations: Destinations;
  readonly requests: RequestReport[];
  /** What the mapping of each event that is settled for good could not carry. */
  readonly noted: MappingReport[];
  /** Journals the event as the intake would, for the first source or that one. @returns its receipt and `_id` */
  accept(event: object, source?: number): Promise<{ receipt: string; id: string }>;
  /** Resolves when the event's outcome is recorded for good. */
  settled(receipt: string): Promise<Settlement>;
  /** Resolves when so many settlements of any kind were recorded for the event. */
  tried(receipt: string, times: number): Promise<Settlement>;
  record(receipt: string): Promise<EventRecord>;
  /** Gives the destination other client secrets, as a changed secret file does. */
  mendSecrets(secrets: string[]): void;
  /** Stops the delivery and starts it with a changed configuration on the same journal, as a restart does. */
  reconfigure(mend: (config: RelayConfig) => void): Promise<void>;
  close(): Promise<void>;
}

/** Everything between journal and Adobe for real: SQLite, dispatcher, IMS and inlet clients, and the simulator. */
export const startDeliveryRig = async (
  change: (config: RelayConfig) => void = () => undefined,
  adobe: SimulatorOptions = {},
): Promise<DeliveryRig> => {
  const simulator = await startSimulator(adobe);
  const folder = mkdtempSync(join(tmpdir(), 'relay-delivery-'));
  const plain = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
  plain.store['path'] = folder;
  change(plain);
  let config: Config = configSchema.parse(plain);
  const journal = await openSqliteJournal({ path: folder, encryptionKeys: [] });
  const requests: RequestReport[] = [];
  const noted: MappingReport[] = [];
  const settlements = new Map<string, Settlement[]>();
  const listeners = new Set<() => void>();

  const createAll = (): Destinations =>
    createDestinations({
      config,
      journal,
      now: Date.now,
      createInlet: ({ inletUrl, sandbox, limits }) =>
        createInlet({ inletUrl, sandbox, connections: limits.concurrency, requestTimeoutMs: 1_000 }),
      createTokens: ({ ims }) => (ims ? createTokenSource(ims) : undefined),
      observer: {
        requested: (report) => requests.push(report),
        settled: (event: ClaimedEvent, settlement) => {
          settlements.set(event.receipt, [...(settlements.get(event.receipt) ?? []), settlement]);
          for (const listener of listeners) listener();
        },
        noted: (_event, mapping) => noted.push(mapping),
        stateChanged: () => undefined,
        trouble: (_destination, message, error) => {
          throw new Error(message, { cause: error });
        },
      },
    });

  let destinations = createAll();

  const when = (receipt: string, enough: (all: readonly Settlement[]) => boolean): Promise<Settlement> =>
    new Promise((resolve) => {
      const look = (): void => {
        const all = settlements.get(receipt) ?? [];
        if (!enough(all)) return;
        listeners.delete(look);
        resolve(all.at(-1)!);
      };
      listeners.add(look);
      look();
    });

  return {
    simulator,
    journal,
    get destinations() {
      return destinations;
    },
    requests,
    noted,
    async accept(event, at = 0) {
      const body = Buffer.from(JSON.stringify(event));
      const parsed = parseEvent(body, {});
      if (!parsed.ok) throw new Error(parsed.detail);
      const request = { body, receivedAt: Date.now(), verifiedBy: 'test' };
      const { receipt } = await journal.append(newEvent(parsed.event, config.sources[at]!, request));
      return { receipt, id: xdmId(parsed.event.identity) };
    },
    settled: (receipt) => when(receipt, (all) => all.length > 0 && all.at(-1)!.state !== 'pending'),
    tried: (receipt, times) => when(receipt, (all) => all.length >= times),
    async record(receipt) {
      const record = await journal.find(receipt);
      if (record === undefined) throw new Error(`no record of ${receipt}`);
      return record;
    },
    mendSecrets(clientSecrets) {
      const [destination] = config.destinations;
      if (destination?.ims)
        destinations.setSecrets([{ ...destination, ims: { ...destination.ims, clientSecrets } }]);
    },
    async reconfigure(mend) {
      await destinations.stop();
      mend(plain);
      config = configSchema.parse(plain);
      destinations = createAll();
      await destinations.start();
    },
    async close() {
      await destinations.stop();
      await journal.close();
      await simulator.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
