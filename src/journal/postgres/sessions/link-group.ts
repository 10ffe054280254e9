import { StoreError } from '../../journal.ts';
import type { Link } from './link.ts';

/** How long a call waits for a connection while transactions have them all. */
const WAIT_LIMIT_MS = 5_000;

function inFlight({ connection }: Link): number {
  return connection?.inFlight ?? 0;
}

/** The connections of one purpose. */
export class LinkGroup {
  readonly links: readonly Link[];
  readonly #purpose: string;
  #waiting: (() => void)[] = [];
  /** Why there is no connection. */
  #failure: Error | undefined;

  constructor(purpose: string, links: readonly Link[]) {
    this.#purpose = purpose;
    this.links = links;
  }

  get connected(): number {
    return this.links.filter(({ isConnected }) => isConnected).length;
  }

  get connecting(): number {
    return this.links.filter(({ isConnecting }) => isConnecting).length;
  }

  get failure(): Error | undefined {
    return this.connected > 0 ? undefined : this.#failure;
  }

  /** To be called when a connection was opened or lost. */
  changed(failure: Error | undefined): void {
    if (failure) this.#failure = failure;
    this.#wake();
  }

  /** Calls with the connection that has the fewest statements in flight. */
  async use<T>(call: (link: Link) => Promise<T>): Promise<T> {
    const deadline = performance.now() + WAIT_LIMIT_MS;
    for (;;) {
      // The call follows in the same turn, or a transaction could begin in between.
      const link = this.#free();
      if (link) return call(link);
      const rest = deadline - performance.now();
      if (rest <= 0)
        throw new StoreError(
          `all connections of the purpose ${this.#purpose} were busy for ${WAIT_LIMIT_MS / 1_000} s`,
        );
      await this.#released(rest);
    }
  }

  /** Calls with a connection that nobody else uses until the call has ended. */
  async reserve<T>(call: (link: Link) => Promise<T>): Promise<T> {
    return this.use(async (link) => {
      link.isReserved = true;
      try {
        return await call(link);
      } finally {
        link.isReserved = false;
        this.#wake();
      }
    });
  }

  #free(): Link | undefined {
    const connected = this.links.filter(({ isConnected }) => isConnected);
    if (connected.length === 0)
      throw new StoreError(`no connection to the database: ${this.#failure?.message ?? 'not opened yet'}`, {
        cause: this.#failure,
        fix: this.#failure instanceof StoreError ? this.#failure.fix : undefined,
      });
    return connected
      .filter(({ isReserved }) => !isReserved)
      .reduce<Link | undefined>(
        (best, link) => (best && inFlight(best) <= inFlight(link) ? best : link),
        undefined,
      );
  }

  #released(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
