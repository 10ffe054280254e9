import { setTimeout as delay } from 'node:timers/promises';
import { StoreError } from '../../journal.ts';
import type { Connection } from './connection.ts';
import type { ServerFacts } from './session-settings.ts';

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 3_000;

export interface LinkParts {
  /** Whether to open a connection now, or to wait until another one was opened. */
  readonly mayConnect: () => boolean;
  /**
   * A connection that is ready for use, with the row of `streams` that it has.
   * @param before of the connection in its place before
   */
  readonly connect: (
    before: ServerFacts | undefined,
  ) => Promise<{ readonly connection: Connection; readonly stream: number }>;
  /** Called after each change, with the reason if the connection was lost or cannot be opened. */
  readonly onChange: (link: Link, failure: Error | undefined) => void;
}

/** A place for a connection, which is opened again when it was lost. */
export class Link {
  /** Undefined while there is none. */
  connection: Connection | undefined;
  /** The stream of the present connection. */
  stream = 0;
  /** In use by a transaction. */
  isReserved = false;
  isConnecting = false;
  readonly #parts: LinkParts;
  readonly #closing = new AbortController();
  #wake = new AbortController();
  /** Since the last attempt began. */
  #isWoken = false;
  #running: Promise<void> | undefined;

  constructor(parts: LinkParts) {
    this.#parts = parts;
  }

  get isConnected(): boolean {
    return this.connection?.isOpen === true;
  }

  /** Starts to connect. */
  open(): void {
    this.#running ??= this.#run();
  }

  /** Tries again now instead of waiting: another connection was opened. */
  wake(): void {
    this.#isWoken = true;
    this.#wake.abort();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.wake();
    await this.connection?.close();
    // An attempt to connect ends by itself, and so does what it opens.
    if (!this.isConnecting) await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let before: ServerFacts | undefined;
    for (let failures = 0; !signal.aborted; ) {
      try {
        if (!this.#parts.mayConnect()) {
          this.#isWoken = false;
          await this.#pause(failures);
          continue;
        }
        this.#isWoken = false;
        this.isConnecting = true;
        const { connection, stream } = await this.#parts.connect(before);
        this.isConnecting = false;
        this.connection = connection;
        this.stream = stream;
        before = connection.facts;
        failures = 0;
        if (signal.aborted) await connection.close();
        else this.#parts.onChange(this, undefined);
        const reason = await connection.ended;
        this.connection = undefined;
        if (!signal.aborted) this.#parts.onChange(this, reason);
      } catch (error) {
        this.isConnecting = false;
        failures += 1;
        if (!signal.aborted)
          this.#parts.onChange(this, error instanceof Error ? error : new StoreError(String(error)));
      }
      await this.#pause(failures);
    }
  }

  /** Random, so that the replicas do not all come at once. */
  async #pause(failures: number): Promise<void> {
    if (this.#isWoken) return;
    const longest = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** failures);
    this.#wake = new AbortController();
    const signal = AbortSignal.any([this.#wake.signal, this.#closing.signal]);
    await delay(longest * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
  }
}
