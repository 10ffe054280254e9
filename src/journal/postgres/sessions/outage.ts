import type { Logger } from 'pino';
import type { Purpose } from './session.ts';
import { sqlStateOf } from './sql-states.ts';

/**
 * Errors of single statements that mean that nothing can be stored for now: read-only, out of a
 * resource such as disk or memory, errors of the disk.
 */
const NOT_WRITABLE = /^(25006|53|58)/;

/**
 * The schema, a table or the right to use it is missing. Maintenance also changes partitions, which
 * can be gone and need more rights, so its errors say nothing about events.
 */
const NO_TABLES = /^(3F000|42P01|42501)/;
const MAINTAINING: Purpose = 'work';

const DISK_FULL = '53100';

/** Whether the database can be used, and since when not. */
export interface SessionsState {
  readonly isConnected: boolean;
  /** ms since the database could be used last; absent while it can. */
  readonly failingForMs?: number;
  readonly failure?: string;
  /** The disk of the server is full. */
  readonly isDiskFull: boolean;
}

/** Remembers what keeps the database from being used, and logs begin and end of each outage. */
export class Outage {
  readonly #log: Logger;
  #since: number | undefined;
  #failure: Error | undefined;
  #isConnected = false;
  /** By purpose: the last statement failed because nothing can be stored. */
  readonly #refused = new Map<Purpose, Error>();

  constructor(log: Logger) {
    this.#log = log;
  }

  state(): SessionsState {
    return {
      isConnected: this.#isConnected,
      isDiskFull: [...this.#refused.values()].some((error) => sqlStateOf(error) === DISK_FULL),
      ...(this.#since === undefined ? {} : { failingForMs: performance.now() - this.#since }),
      ...(this.#failure === undefined ? {} : { failure: this.#failure.message }),
    };
  }

  /** The purposes whose last write was refused. */
  refused(): readonly Purpose[] {
    return [...this.#refused.keys()];
  }

  /** Each purpose has a connection. */
  connected(): void {
    this.#isConnected = true;
    this.#judge(undefined);
  }

  /** A purpose has none. */
  disconnected(failure: Error): void {
    this.#isConnected = false;
    this.#judge(failure);
  }

  succeeded(purpose: Purpose): void {
    if (this.#refused.delete(purpose)) this.#judge(undefined);
  }

  /** @returns whether the purpose is refused now */
  failed(purpose: Purpose, error: unknown): boolean {
    const state = sqlStateOf(error) ?? '';
    const hasNoTables = purpose !== MAINTAINING && NO_TABLES.test(state);
    if (!hasNoTables && !NOT_WRITABLE.test(state)) return false;
    this.#refused.set(purpose, error as Error);
    this.#judge(error as Error);
    return true;
  }

  #judge(failure: Error | undefined): void {
    const isFailing = !this.#isConnected || this.#refused.size > 0;
    if (!isFailing) {
      if (this.#since !== undefined)
        this.#log.info({ ms: Math.round(performance.now() - this.#since) }, 'the database can be used again');
      this.#since = undefined;
      this.#failure = undefined;
      return;
    }
    if (failure) this.#failure = failure;
    if (this.#since !== undefined) return;
    this.#since = performance.now();
    this.#log.error({ err: this.#failure }, 'the database cannot be used: events are refused');
  }
}
