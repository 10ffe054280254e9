import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { verifyStore } from '../../../src/journal/sqlite/verify.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { makeEvents } from '../../../src/simulator/capillary-events.ts';
import { createRandom, type Random } from '../../../src/simulator/random.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';
import { type RelayConfig, relayConfig, type RelayProcess } from '../../helpers/relay-process.ts';
import { type Capillary, createCapillary } from './capillary.ts';
import { checkCustomers, type Due } from './customers.ts';
import { createFindings, type Findings } from './findings.ts';
import { createLives, type Lives } from './lives.ts';
import { createObligations, type Obligations, type Terms } from './obligations.ts';
import { poisonRule } from './faults.ts';
import { createWitness, type Witness } from './witness.ts';
import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';

export const ORG_ID = 100_737;

/** ms between two words on how many events are left. */
const TELL_EVERY = 5_000;

export interface JudgeOptions {
  readonly seed: number;
  /** Posts a second. */
  readonly rate: number;
  readonly concurrency?: number;
  /** Start of the `_id` of the events that Adobe refuses. */
  readonly poison?: string | undefined;
  /** Edits the configuration before it is written. */
  readonly change?: (config: RelayConfig) => void;
  readonly told?: (text: string) => void;
}

/** Sums of the relay's ledger. */
export interface Ledger {
  readonly accepted: number;
  readonly pending: number;
  readonly delivered: number;
  readonly ignored: number;
  readonly dead: number;
  readonly balanced: boolean;
}

export interface Verdict {
  readonly findings: readonly string[];
  readonly due: Due;
  readonly ledger: Ledger;
}

/** An Adobe, a relay as a process, a Capillary, and one who knows what was promised. */
export interface Judge {
  readonly simulator: Simulator;
  readonly lives: Lives;
  readonly capillary: Capillary;
  readonly obligations: Obligations;
  readonly witness: Witness;
  readonly findings: Findings;
  readonly random: Random;
  /** Ends waits for tokens and the like, as an operator would. */
  mend(): Promise<void>;
  /**
   * Waits until nothing is pending, at most `patience` ms, and holds all that landed against all that was promised. Then ends the relay and looks
   * through its store.
   */
  judge(patience: number): Promise<Verdict>;
  close(): Promise<void>;
}

const configure = (simulator: Simulator, key: string, change: JudgeOptions['change']): RelayConfig => {
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
  config.server['rateLimit'] = { max: 100_000, window: '1s' };
  Object.assign(config.sources[0]!, {
    orgIds: [ORG_ID],
    timezone: 'Asia/Kolkata',
    country: 'IN',
    verify: [{ type: 'header', name: 'X-Relay-Key', values: [key] }],
  });
  // Poison is what Adobe refuses; faults that hit by chance must bury nothing.
  config.destinations[0]!['retry'] = { minDelay: '20ms', maxDelay: '400ms', poisonAttempts: 100 };
  // Batches of several messages, for what may happen to some of them.
  config.destinations[0]!['batch'] = { maxWait: '50ms' };
  change?.(config);
  return config;
};

const termsOf = (lives: Lives, config: RelayConfig, poison: string | undefined): Terms => {
  writeFileSync(lives.folder.file, stringify(config));
  const { sources, destinations } = loadConfig(lives.folder.file, {}).config;
  return { source: sources[0]!, destination: destinations[0]!, ...(poison === undefined ? {} : { poison }) };
};

const ledgerOf = async (relay: RelayProcess): Promise<Ledger> =>
  (await relay.admin('/admin/v1/ledger')).body as Ledger;

/** Sets the stage; no relay is started yet. */
export const createJudge = async (options: JudgeOptions): Promise<Judge> => {
  const { seed, poison, told } = options;
  const random = createRandom(seed);
  const simulator = await startSimulator({ seed, tokenTtlMs: 600_000 });
  // A key of its own: a port of a relay that was killed may be another's by the time it is used.
  const key = randomUUID();
  const config = configure(simulator, key, options.change);
  const findings = createFindings(told);
  const lives = createLives(config, findings);
  const terms = termsOf(lives, config, poison);
  const obligations = createObligations(terms);
  const witness = createWitness({ simulator, obligations, terms, findings });
  const capillary = createCapillary({
    obligations,
    findings,
    webhook: async () => `${(await lives.up()).intakeUrl}/webhooks/acme`,
    headers: { 'content-type': 'application/json', 'x-relay-key': key },
    random,
    rate: options.rate,
    concurrency: options.concurrency ?? 16,
  });

  const mend = async (): Promise<void> => {
    const relay = await lives.up();
    const resume = '/admin/v1/destinations/acme-aep/resume';
    await relay.admin(resume, { method: 'POST', body: '{}' }).catch(() => undefined);
  };

  /** A wait for IMS lasts minutes and only an operator ends it sooner; from everything else the relay recovers by itself. */
  const mendTokens = async (relay: RelayProcess): Promise<void> => {
    const { body } = await relay.admin('/admin/v1/destinations');
    const { reason } = (body as { destinations: { reason?: string }[] }).destinations[0] ?? {};
    if (reason?.startsWith('ims-')) await mend();
  };

  /** Resolves with the ledger once nothing is pending, or as it is when patience ends. */
  const settled = async (patience: number): Promise<Ledger> => {
    const relay = await lives.up();
    let toldAt = -Infinity;
    for (const end = performance.now() + patience; ; await sleep(50)) {
      await mendTokens(relay);
      const ledger = await ledgerOf(relay);
      await witness.look();
      if (performance.now() - toldAt > TELL_EVERY) {
        toldAt = performance.now();
        told?.(`${ledger.pending} events are pending`);
      }
      if (ledger.pending === 0) return ledger;
      if (performance.now() > end) {
        findings.add(
          `${ledger.pending} events are still pending: what is called lost below may be among them`,
        );
        return ledger;
      }
    }
  };

  const checkLedger = (ledger: Ledger, due: Due): void => {
    const { delivered, ignored, dead } = due;
    const wanted = {
      accepted: delivered + ignored + dead,
      pending: 0,
      delivered,
      ignored,
      dead,
      balanced: true,
    };
    for (const [name, value] of Object.entries(wanted)) {
      const is = ledger[name as keyof Ledger];
      if (is !== value) findings.add(`ledger: ${name} is ${is} and must be ${value}`);
    }
  };

  const checkInlet = (): void => {
    const { overlapping, sameKeyInRequest } = simulator.stats();
    if (overlapping > 0)
      findings.add(`${overlapping} messages came while another of the customer was under way`);
    if (sameKeyInRequest > 0)
      findings.add(`${sameKeyInRequest} messages shared a request with one of the customer`);
  };

  return {
    simulator,
    lives,
    capillary,
    obligations,
    witness,
    findings,
    random,
    mend,
    async judge(patience) {
      simulator.setFaults(poison === undefined ? [] : [poisonRule(poison)]);
      await settled(patience);
      const [fresh] = makeEvents({ count: 1, awkward: 0, orgId: ORG_ID, seed: seed + 999_999_937 });
      await capillary.deliver(obligations.of(fresh!.body));
      const ledger = await settled(10_000);
      await witness.look();
      const due = await checkCustomers(obligations.all(), witness, terms, findings);
      checkLedger(ledger, due);
      checkInlet();
      await lives.rest();
      for (const { check, detail } of verifyStore(join(lives.folder.folder, 'data')))
        findings.add(`store: ${check}: ${detail}`);
      return { findings: findings.list(), due, ledger };
    },
    async close() {
      await lives.folder.remove();
      await simulator.close();
    },
  };
};
