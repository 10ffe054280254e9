import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { SOURCE_CHECKS } from '../../../src/cli/source-checks.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { createProgramCatalogue } from '../../../src/mapping/program-catalogue.ts';
import { makeEvents } from '../../../src/simulator/capillary/capillary-events.ts';
import { createRandom, type Random } from '../../../src/simulator/random.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';
import { WAIT_LIMIT_MS } from '../../helpers/limits.ts';
import { type RelayConfig, relayConfig, type RelayProcess } from '../../helpers/relay-process.ts';
import { createEventSender, type EventSender, type RetryPolicy } from './event-sender.ts';
import { createExpectations, type Expectations, type MappingSettings } from './expectations.ts';
import { poisonRule } from './faults.ts';
import { createFindings, type Findings } from './findings.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { createRelayLifecycle, type RelayLifecycle } from './relay-lifecycle.ts';
import type { Ledger, RelaysUnderTest } from './relays-under-test.ts';
import { type ExpectedTotals, inOrderOfAcceptance, verifyCustomers } from './verifier.ts';

export const ORG_ID = 100_737;

/** Time between two log lines on how many events are pending. */
const PROGRESS_INTERVAL_MS = 5_000;
const LEDGER_POLL_INTERVAL_MS = 50;

export interface HarnessOptions {
  readonly seed: number;
  readonly postsPerSecond: number;
  readonly concurrency?: number;
  /** `_id` prefix of the events that the simulated Adobe rejects permanently. */
  readonly poisonIdPrefix?: string | undefined;
  /** Edits the configuration before it is written. */
  readonly change?: (config: RelayConfig) => void;
  readonly log?: (text: string) => void;
  /** How an event is sent again. */
  readonly retry?: RetryPolicy;
}

export interface Verdict {
  readonly findings: readonly string[];
  readonly totals: ExpectedTotals;
  readonly ledger: Ledger;
}

/**
 * A simulated Adobe, a relay process, a sender in Capillary's place, and an oracle that checks
 * them.
 */
export interface Harness<Relays = RelayLifecycle> {
  readonly simulator: Simulator;
  readonly lifecycle: Relays;
  readonly sender: EventSender;
  readonly expectations: Expectations;
  readonly recorder: Recorder;
  readonly findings: Findings;
  readonly settings: MappingSettings;
  readonly random: Random;
  /**
   * Posts the bodies until the signal aborts. An event that describes the default program lands
   * before: many events have only the number of their program, so what the others look like must
   * not depend on which of them is mapped first.
   */
  postEvents(bodies: Iterator<string>, signal: AbortSignal): Promise<void>;
  /** Resumes a paused destination, as an operator would. */
  resumeDelivery(): Promise<void>;
  /**
   * Waits until nothing is pending and compares everything that landed with everything that was
   * acknowledged. Then stops the relays and verifies their store.
   * @param timeoutMs limit of the wait
   */
  verify(timeoutMs: number): Promise<Verdict>;
  close(): Promise<void>;
}

function configure(simulator: Simulator, key: string, change: HarnessOptions['change']): RelayConfig {
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
  config.server['rateLimit'] = { max: 100_000, window: '1s' };
  Object.assign(config.sources[0]!, {
    orgIds: [ORG_ID],
    timezone: 'Asia/Kolkata',
    country: 'IN',
    verify: [{ type: 'header', name: 'X-Relay-Key', values: [key] }],
  });
  // Only poison may become a dead letter, not an event that random faults hit several times.
  config.destinations[0]!['retry'] = { minDelay: '20ms', maxDelay: '400ms', poisonAttempts: 100 };
  // Fills batches with several messages, so that faults can hit some of them.
  config.destinations[0]!['batch'] = { maxWait: '50ms' };
  change?.(config);
  return config;
}

/** Loads the settings as the relay does, defaults included. */
function mappingSettingsOf(
  { config, configFile }: RelaysUnderTest,
  poisonIdPrefix: string | undefined,
): MappingSettings {
  writeFileSync(configFile, stringify(config));
  const { sources, destinations } = loadConfig(configFile, {}, SOURCE_CHECKS).config;
  return {
    source: sources[0]!,
    destination: destinations[0]!,
    programs: createProgramCatalogue(),
    ...(poisonIdPrefix === undefined ? {} : { poisonIdPrefix }),
  };
}

async function ledgerOf(relay: RelayProcess): Promise<Ledger> {
  return (await relay.admin('/admin/v1/ledger')).body as Ledger;
}

/** Starts the simulator and prepares everything else; no relay is started yet. */
export function createHarness(options: HarnessOptions): Promise<Harness> {
  return createHarnessOf(options, async (config, findings) => createRelayLifecycle(config, findings));
}

/** The same for other relays than a single one. */
export async function createHarnessOf<Relays extends RelaysUnderTest>(
  options: HarnessOptions,
  createRelays: (config: RelayConfig, findings: Findings) => Promise<Relays>,
): Promise<Harness<Relays>> {
  const { seed, poisonIdPrefix, log } = options;
  const random = createRandom(seed);
  const simulator = await startSimulator({ seed, tokenTtlMs: 600_000 });
  // A unique key: the port of a killed relay may belong to another process when it is used again.
  const key = randomUUID();
  const config = configure(simulator, key, options.change);
  const findings = createFindings(log);
  const lifecycle = await createRelays(config, findings);
  const settings = mappingSettingsOf(lifecycle, poisonIdPrefix);
  const expectations = createExpectations(settings);
  const recorder = createRecorder({ simulator, expectations, settings, findings });
  const sender = createEventSender({
    expectations,
    findings,
    webhook: async () => `${await lifecycle.intakeUrl()}/webhooks/acme`,
    headers: { 'content-type': 'application/json', 'x-relay-key': key },
    random,
    postsPerSecond: options.postsPerSecond,
    concurrency: options.concurrency ?? 16,
    ...(options.retry && { retry: options.retry }),
  });

  const postEvents = async (bodies: Iterator<string>, signal: AbortSignal): Promise<void> => {
    const describing = makeEvents({
      now: Date.now() - 1_000,
      count: 20,
      awkward: 0,
      orgId: ORG_ID,
      seed: seed + 999_999_929,
      names: ['pointsIssued'],
    });
    const first = describing.find(({ body }) => !createExpectations(settings).register(body).isPoison);
    await sender.deliver(expectations.register(first!.body));
    await simulator.until(({ landed }) => landed > 0, AbortSignal.timeout(WAIT_LIMIT_MS));
    await lifecycle.whenLearnt?.();
    await sender.run(bodies, signal);
  };

  const resumeDelivery = async (): Promise<void> => {
    const relay = await lifecycle.whenReady();
    const resume = '/admin/v1/destinations/acme-aep/resume';
    await relay.admin(resume, { method: 'POST', body: '{}' }).catch(() => undefined);
  };

  /**
   * A backoff after an IMS error, or after several tokens that the inlet refused, lasts minutes and
   * only an operator can end it earlier; from all other faults the relay recovers soon on its own.
   */
  const resumeAfterTokenTrouble = async (relay: RelayProcess): Promise<void> => {
    const { body } = await relay.admin('/admin/v1/destinations');
    const { reason } = (body as { destinations?: { reason?: string }[] }).destinations?.[0] ?? {};
    if (/^(ims-.*|unauthorized|forbidden|ip-not-allowed)$/.test(reason ?? '')) await resumeDelivery();
  };

  /** Resolves with the ledger once nothing is pending, or at the timeout. */
  const whenSettled = async (timeoutMs: number): Promise<Ledger> => {
    const relay = await lifecycle.whenReady();
    let loggedMs = -Infinity;
    for (const deadline = performance.now() + timeoutMs; ; await sleep(LEDGER_POLL_INTERVAL_MS)) {
      await resumeAfterTokenTrouble(relay);
      const ledger = await ledgerOf(relay);
      await recorder.poll();
      if (performance.now() - loggedMs > PROGRESS_INTERVAL_MS) {
        loggedMs = performance.now();
        log?.(`${ledger.pending} events are pending`);
      }
      if (ledger.pending === 0) return ledger;
      if (performance.now() > deadline) {
        findings.add(`${ledger.pending} events are still pending; events reported as lost may be among them`);
        return ledger;
      }
    }
  };

  const checkLedger = (ledger: Ledger, totals: ExpectedTotals): void => {
    const { delivered, ignored, dead } = totals;
    const accepted = delivered + ignored + dead;
    const expected: Ledger = { accepted, pending: 0, delivered, ignored, dead, balanced: true };
    for (const [name, value] of Object.entries(expected)) {
      const actual = ledger[name as keyof Ledger];
      if (actual !== value) findings.add(`ledger: ${name} is ${actual}, expected ${value}`);
    }
  };

  const checkInlet = (): void => {
    const { overlapping, sameKeyInRequest } = simulator.stats();
    if (overlapping > 0)
      findings.add(`${overlapping} messages arrived while another one of the customer was in flight`);
    if (sameKeyInRequest > 0)
      findings.add(`${sameKeyInRequest} messages shared a request with another one of the customer`);
  };

  return {
    simulator,
    lifecycle,
    sender,
    expectations,
    recorder,
    findings,
    settings,
    random,
    postEvents,
    resumeDelivery,
    async verify(timeoutMs) {
      simulator.setFaults(poisonIdPrefix === undefined ? [] : [poisonRule(poisonIdPrefix)]);
      await whenSettled(timeoutMs);
      // After all faults, a new event must still be accepted and delivered.
      const [newEvent] = makeEvents({ count: 1, awkward: 0, orgId: ORG_ID, seed: seed + 999_999_937 });
      await sender.deliver(expectations.register(newEvent!.body));
      const ledger = await whenSettled(timeoutMs);
      await recorder.poll();
      const order = inOrderOfAcceptance(expectations.all(), await lifecycle.acceptance?.(), findings);
      const totals = await verifyCustomers(order, recorder, settings, findings);
      checkLedger(ledger, totals);
      checkInlet();
      await lifecycle.checkRunning?.(ledger);
      await lifecycle.stop();
      await lifecycle.checkStore();
      return { findings: findings.list(), totals, ledger };
    },
    async close() {
      await lifecycle.remove();
      await simulator.close();
    },
  };
}
