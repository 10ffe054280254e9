import type { RelayConfig, RelayProcess } from '../../helpers/relay-process.ts';

/** Totals of the relay's ledger. */
export interface Ledger {
  readonly accepted: number;
  readonly pending: number;
  readonly delivered: number;
  readonly ignored: number;
  readonly dead: number;
  readonly balanced: boolean;
}

/** What the harness needs of the relays that it tests: a single one, or several on one store. */
export interface RelaysUnderTest {
  /** The configuration of one of the relays, and where it is written. */
  readonly config: RelayConfig;
  readonly configFile: string;
  /** Resolves with a running relay as soon as there is one that accepts events. */
  whenReady(): Promise<RelayProcess>;
  /** Where events are posted. */
  intakeUrl(): Promise<string>;
  /** Resolves once each relay knows what has been learnt from the events that have landed. */
  whenLearnt?(): Promise<void>;
  /**
   * Receipt → place of an event in the order of acceptance. A single relay has none, since its
   * receipts are increasing.
   */
  acceptance?(): Promise<ReadonlyMap<string, number>>;
  /** Adds findings about relays that have settled everything. */
  checkRunning?(ledger: Ledger): Promise<void>;
  /** Ends the relays as an operator does. */
  stop(): Promise<void>;
  /** Adds findings about the store of relays that were stopped. */
  checkStore(): Promise<void>;
  remove(): Promise<void>;
}
