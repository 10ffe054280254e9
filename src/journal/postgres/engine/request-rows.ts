import type { Attempt, InletRequest } from '../../journal.ts';
import { DELIVERED, type RequestRow, requestRow, sentInEntry } from '../../sent-in.ts';
import type { Session, Statement } from '../sessions/session.ts';

/** Requests that are remembered, so that later settlements of their messages find their rows. */
const MAX_REMEMBERED = 1_024;
/** Ids that one value of the sequence stands for; see event-tables.ts. */
const BLOCK = 256;

const NEXT_BLOCK: Statement = {
  name: 'next_request_rows',
  text: `SELECT nextval('request_rows') AS base`,
};

/** A row of `requests` that may not be stored yet. */
export type NumberedRequest = RequestRow & { readonly id: number };

/** The requests that have delivered messages: each gets one row, however many calls name it. */
export class RequestRows {
  readonly #remembered = new Map<string, NumberedRequest>();
  readonly #stored = new Set<number>();
  #free: number[] = [];

  /** Gives a row to each request that has delivered one of these messages. */
  async number(session: Pick<Session, 'query'>, attempts: Iterable<Attempt>): Promise<void> {
    for (const { request, outcome, xactionId } of attempts) {
      if (outcome !== DELIVERED || this.#remembered.has(request.id)) continue;
      const id = this.#free.pop() ?? (await this.#nextBlock(session));
      this.#remembered.set(request.id, { ...requestRow(request, xactionId), id });
    }
  }

  /** The entries of `sent_in` for the delivered messages; null if there are none. */
  sentIn(attempts: readonly Attempt[]): string | null {
    const entries: string[] = [];
    for (const { request, outcome, xactionId } of attempts) {
      if (outcome !== DELIVERED) continue;
      const { id, xaction } = this.rowOf(request);
      entries.push(sentInEntry(id, xaction, xactionId));
    }
    return entries.length === 0 ? null : entries.join(' ');
  }

  rowOf(request: InletRequest): NumberedRequest {
    const row = this.#remembered.get(request.id);
    if (row === undefined) throw new Error(`the request ${request.id} has no row`);
    return row;
  }

  isStored({ id }: NumberedRequest): boolean {
    return this.#stored.has(id);
  }

  /** Call it after the commit. */
  stored(rows: readonly NumberedRequest[]): void {
    for (const { id } of rows) this.#stored.add(id);
    // The oldest first: a request whose answer was recorded has no further settlements.
    for (const [key, { id }] of this.#remembered) {
      if (this.#remembered.size <= MAX_REMEMBERED) break;
      this.#remembered.delete(key);
      this.#stored.delete(id);
    }
  }

  async #nextBlock(session: Pick<Session, 'query'>): Promise<number> {
    const [row] = await session.query<{ base: number }>(NEXT_BLOCK);
    const base = (row as { base: number }).base;
    for (let id = base + BLOCK - 1; id > base; id -= 1) this.#free.push(id);
    return base;
  }
}
