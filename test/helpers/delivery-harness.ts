import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTokenSource } from '../../src/adobe/ims/token-source.ts';
import { createInlet } from '../../src/adobe/inlet/inlet-client.ts';
import { parseEvent } from '../../src/capillary/event-parser.ts';
import { configSchema, type Config } from '../../src/config/config-schema.ts';
import { createDestinations, type Destinations } from '../../src/delivery/destinations.ts';
import type { DestinationStatus } from '../../src/delivery/destination-state.ts';
import type { EnricherOf } from '../../src/delivery/mapping-parts.ts';
import type { MappingReport, RequestReport } from '../../src/delivery/delivery-observer.ts';
import { toNewEvent } from '../../src/intake/accept.ts';
import type { Claim, EventRecord, Journal, Settlement } from '../../src/journal/journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import type { SimulatorOptions } from '../../src/simulator/adobe/simulator-options.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { xdmId } from '../../src/xdm/xdm-record.ts';
import { type RelayConfig, relayConfig } from './relay-process.ts';

export interface DeliveryHarness {
  readonly simulator: Simulator;
  readonly journal: Journal;
  readonly destinations: Destinations;
  readonly requests: RequestReport[];
  /** Every reported change of a destination's state. */
  readonly stateChanges: DestinationStatus[];
  /** Mapping notes of each event with a final outcome. */
  readonly mappingReports: MappingReport[];
  /** Kinds of the contacts that were found to be shared, in order. */
  readonly sharedKinds: string[];
  /** Contacts that were not counted. */
  readonly uncounted: number[];
  /**
   * Appends the event to the journal as the intake does.
   * @param source index of the source in the configuration
   * @returns its receipt and `_id`
   */
  accept(event: object, source?: number): Promise<{ receipt: string; id: string }>;
  /** Resolves when the event has a final outcome. */
  whenSettled(receipt: string): Promise<Settlement>;
  /** Resolves when at least this many settlements of any kind were recorded for the event. */
  whenSettledTimes(receipt: string, times: number): Promise<Settlement>;
  /** Claims what can be claimed, as another dispatcher of the destination would. */
  claim(): Promise<Claim>;
  record(receipt: string): Promise<EventRecord>;
  /** Replaces the client secrets of the destination, as after a change of the secret file. */
  replaceSecrets(secrets: string[]): void;
  /** Restarts delivery with a changed configuration on the same journal. */
  reconfigure(change: (config: RelayConfig) => void): Promise<void>;
  /** Puts a changed configuration into use while events are delivered. */
  reload(change: (config: RelayConfig) => void): Promise<void>;
  /** Takes the errors that delivery survives; without it each is thrown. */
  onError?: (message: string) => void;
  close(): Promise<void>;
}

/**
 * The real journal, delivery and Adobe clients in this process, connected to the simulator.
 * @param replaced calls of the journal that delivery makes, in place of the real ones
 * @param enricherOf of the sources with `enrich`
 */
export async function startDeliveryHarness(
  change: (config: RelayConfig) => void = () => undefined,
  adobe: SimulatorOptions = {},
  replaced: (journal: Journal) => Partial<Journal> = () => ({}),
  enricherOf: EnricherOf = () => undefined,
): Promise<DeliveryHarness> {
  const simulator = await startSimulator(adobe);
  const folder = mkdtempSync(join(tmpdir(), 'relay-delivery-'));
  const plain = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
  plain.store['path'] = folder;
  change(plain);
  let config: Config = configSchema.parse(plain);
  const journal = await openSqliteJournal({ path: folder, encryptionKeys: [] });
  const requests: RequestReport[] = [];
  const stateChanges: DestinationStatus[] = [];
  const mappingReports: MappingReport[] = [];
  const sharedKinds: string[] = [];
  const uncounted: number[] = [];
  const settlements = new Map<string, Settlement[]>();
  const listeners = new Set<() => void>();

  const createAll = (): Destinations =>
    createDestinations({
      config,
      journal: Object.assign(Object.create(journal) as Journal, replaced(journal)),
      now: Date.now,
      enricherOf,
      createInlet: ({ inletUrl, sandbox, limits }) =>
        createInlet({ inletUrl, sandbox, connections: limits.concurrency, requestTimeoutMs: 1_000 }),
      createTokens: ({ ims }) => (ims ? createTokenSource(ims) : undefined),
      observer: {
        requestCompleted: (report) => requests.push(report),
        eventsSettled: (settled) => {
          for (const { event, settlement, mapping } of settled) {
            settlements.set(event.receipt, [...(settlements.get(event.receipt) ?? []), settlement]);
            if (mapping !== undefined) mappingReports.push(mapping);
          }
          for (const listener of listeners) listener();
        },
        contactsShared: (_destination, kinds) => sharedKinds.push(...kinds),
        contactsUncounted: (_destination, contacts) => uncounted.push(contacts),
        stateChanged: (_destination, status) => stateChanges.push(status),
        errorCaught: (_destination, message, error) => {
          if (harness.onError === undefined) throw new Error(message, { cause: error });
          harness.onError(message);
        },
      },
    });

  let destinations = createAll();

  const lastSettlementWhen = (
    receipt: string,
    isEnough: (all: readonly Settlement[]) => boolean,
  ): Promise<Settlement> =>
    new Promise((resolve) => {
      const check = (): void => {
        const all = settlements.get(receipt) ?? [];
        if (!isEnough(all)) return;
        listeners.delete(check);
        resolve(all.at(-1)!);
      };
      listeners.add(check);
      check();
    });

  const harness: DeliveryHarness = {
    simulator,
    journal,
    get destinations() {
      return destinations;
    },
    requests,
    stateChanges,
    mappingReports,
    sharedKinds,
    uncounted,
    async accept(event, source = 0) {
      const body = Buffer.from(JSON.stringify(event));
      const { timezone } = config.sources[source]!;
      const parsed = parseEvent(body, { timezone });
      if (!parsed.ok) throw new Error(parsed.detail);
      const request = { body, receivedAt: Date.now(), verifiedBy: 'test' };
      const [appended] = await journal.append([toNewEvent(parsed.event, config.sources[source]!, request)]);
      return { receipt: appended!.receipt, id: xdmId(parsed.event.identity) };
    },
    whenSettled: (receipt) =>
      lastSettlementWhen(receipt, (all) => all.length > 0 && all.at(-1)!.state !== 'pending'),
    whenSettledTimes: (receipt, times) => lastSettlementWhen(receipt, (all) => all.length >= times),
    claim() {
      const claimant = { id: 'harness', destination: config.destinations[0]!.name };
      const sources = config.sources.map(({ name }) => name);
      return journal.claim(claimant, { sources, events: 256, replays: 0, bytes: 1e9 });
    },
    async record(receipt) {
      const record = await journal.find(receipt);
      if (record === undefined) throw new Error(`no record of ${receipt}`);
      return record;
    },
    replaceSecrets(clientSecrets) {
      const [destination] = config.destinations;
      if (destination?.ims)
        destinations.setSecrets([{ ...destination, ims: { ...destination.ims, clientSecrets } }]);
    },
    async reconfigure(edit) {
      await destinations.stop();
      edit(plain);
      config = configSchema.parse(plain);
      destinations = createAll();
      await destinations.start();
    },
    async reload(edit) {
      edit(plain);
      const next = configSchema.parse(plain);
      const commit = await destinations.prepare(next);
      commit();
      config = next;
    },
    async close() {
      await destinations.stop();
      await journal.close();
      await simulator.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return harness;
}
