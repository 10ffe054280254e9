import type { ClaimLimits } from '../../src/journal/journal.ts';
import { createPayloadCipher } from '../../src/journal/payload-cipher.ts';
import type { PostgresEngine } from '../../src/journal/postgres/engine/engine.ts';
import { slotOf } from '../../src/journal/postgres/engine/lane-keys.ts';
import type { QueueEntry } from '../../src/journal/postgres/queue/lane-heads.ts';
import type { Param, Sessions, Statement } from '../../src/journal/postgres/sessions/session.ts';

/** A row of `queue`; it has not been committed before `commit`. */
export interface MemoryEntry extends QueueEntry {
  isPinned: boolean;
  dueAt: number;
  isCommitted: boolean;
  /** Steps of the test when the append began and when it was answered. */
  readonly begunAt: number;
  committedAt: number;
}

/** Rows of each stream that one scan returns at most, so that lists are full. */
const MAX_ROWS = 3;

/** The table `queue` of one destination in memory, with the statements of its owner. */
export class QueueInMemory {
  rows: MemoryEntry[] = [];
  now = 0;
  readonly notified: string[] = [];
  readonly #cipher = createPayloadCipher([]);
  readonly #body = Buffer.from(this.#cipher.encrypt(Buffer.from('{}')));

  /** The committed entries of a queue of a lane. */
  of(lane: string | null, isReplay: boolean): MemoryEntry[] {
    return this.committed().filter((row) => row.lane === lane && row.isReplay === isReplay);
  }

  committed(): MemoryEntry[] {
    return this.rows.filter(({ isCommitted }) => isCommitted);
  }

  headOf(lane: string, isReplay: boolean): MemoryEntry | undefined {
    const rows = this.of(lane, isReplay).toSorted((a, b) => a.seq - b.seq);
    return rows.find(({ isPinned }) => isPinned) ?? rows[0];
  }

  /** What a claim of everything returns: receipts of heads that are due, in order. */
  claimable({ sources, replays }: ClaimLimits, isBusy: (lane: string) => boolean): number[] {
    const heads = this.committed().filter(
      (row) => row.lane === null || (!isBusy(row.lane) && this.headOf(row.lane, row.isReplay) === row),
    );
    const due = heads.filter(({ dueAt, source }) => dueAt <= this.now && sources.includes(source));
    const sorted = due.toSorted((a, b) => a.dueAt - b.dueAt || a.seq - b.seq);
    const live = sorted.filter(({ isReplay }) => !isReplay);
    const lanes = new Set(live.map(({ lane }) => lane).filter((lane) => lane !== null));
    const replayed = sorted.filter(({ isReplay, lane }) => isReplay && (lane === null || !lanes.has(lane)));
    return [...live, ...replayed.slice(0, replays)].map(({ seq }) => seq);
  }

  /** @param deliver is called with each statement; its answer reaches the owner when it resolves */
  engine(deliver: <T>(execute: () => T) => Promise<T>): PostgresEngine {
    const query = (statement: Statement, params: readonly Param[] = []): Promise<readonly unknown[]> =>
      deliver(() => this.#execute(statement.name, params));
    const sessions = { query: (_purpose: string, ...args: Parameters<typeof query>) => query(...args) };
    return {
      sessions: sessions as unknown as Sessions,
      cipher: this.#cipher,
      replica: 'replica',
      now: () => this.now,
      reportUnreadable: () => undefined,
      notifyClaimable: (destination) => void this.notified.push(destination),
    };
  }

  #execute(name: string, params: readonly Param[]): readonly unknown[] {
    if (name === 'scan_queue') return this.#scan(params);
    if (name === 'next_of_lanes') return this.#next(params);
    if (name === 'read_heads') return this.#read(params[3] as number[]);
    if (name === 'former_heads')
      return (params[3] as number[]).filter((pos) => !this.#isHead(pos)).map((pos) => ({ pos }));
    if (name !== 'pin_entries') throw new Error(`an unknown statement: ${name}`);
    for (const pos of params[3] as number[]) {
      const row = this.#at(pos);
      if (row !== undefined) row.isPinned = true;
    }
    return [];
  }

  #at(pos: number): MemoryEntry | undefined {
    return this.committed().find((row) => row.pos === pos);
  }

  /** As the statement judges it: the first of its lane, or pinned. */
  #isHead(pos: number): boolean {
    const row = this.#at(pos);
    if (row === undefined || row.lane === null || row.isPinned) return row !== undefined;
    return this.of(row.lane, row.isReplay).every(({ seq }) => seq >= row.seq);
  }

  #scan([, bits, streams, kinds, positions, live, replayed]: readonly Param[]): unknown[] {
    const answer: unknown[] = [];
    for (const isReplay of [false, true]) {
      const limit = Math.min(MAX_ROWS, (isReplay ? replayed : live) as number);
      const after = new Map<number, number>();
      for (const [index, stream] of (streams as number[]).entries())
        if ((kinds as boolean[])[index] === isReplay) after.set(stream, (positions as number[])[index]!);
      const ofKind = this.committed().filter((row) => row.isReplay === isReplay);
      const lists = [...Map.groupBy(ofKind, ({ stream }) => stream)].map(([stream, rows]) =>
        rows
          .filter(({ pos }) => pos > (after.get(stream) ?? 0))
          .toSorted((a, b) => a.pos - b.pos)
          .slice(0, limit),
      );
      const full = lists.filter((rows) => rows.length > 0 && rows.length === limit);
      const cut = Math.min(...full.map((rows) => rows.at(-1)!.pos));
      for (const list of lists) {
        const taken = list.filter(({ pos }) => pos <= cut);
        for (const [index, row] of taken.entries()) {
          const isLast = index === taken.length - 1;
          const isOwned = BigInt.asUintN(1, (bits as bigint) >> BigInt(slotOf(row.laneKey))) === 1n;
          if (isLast || isOwned) answer.push({ ...row, isFull: full.length > 0, isLast, isOwned });
        }
      }
    }
    return answer;
  }

  #next([, lanes, , kinds]: readonly Param[]): unknown[] {
    return (lanes as string[]).flatMap((lane, index) => {
      const rows = this.of(lane, (kinds as boolean[])[index]!).toSorted((a, b) => a.seq - b.seq);
      const found = [...rows.filter(({ isPinned }) => isPinned), ...rows.slice(0, 2)];
      return found.map((row) => ({ ...row, n: index + 1 }));
    });
  }

  #read(positions: readonly number[]): unknown[] {
    return this.committed()
      .filter(({ pos }) => positions.includes(pos))
      .map((row) => ({
        pos: row.pos,
        day: 0,
        receipt: `${row.seq}`,
        destination: 'x',
        source: row.source,
        lane: row.lane,
        event_name: '',
        verified_by: '',
        traceparent: null,
        identity: null,
        state: 'p',
        is_replay: row.isReplay,
        due_at: row.dueAt,
        event_id: null,
        customer_id: null,
        detail: null,
        delivered: 0,
        body: this.#body,
        profile: null,
        target: null,
      }));
  }
}
