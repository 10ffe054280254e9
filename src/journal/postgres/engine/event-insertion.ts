import { setTimeout as delay } from 'node:timers/promises';
import { StoreError } from '../../journal.ts';
import type { Statement } from '../sessions/session.ts';
import { CommitUnknownError } from '../sessions/store-errors.ts';
import { APPEND, appendParams, type EventRow, MAX_EVENTS, type PlacedRow } from './append-statement.ts';
import type { PostgresEngine } from './engine.ts';

/** Largest payload of one statement, which the server holds in memory several times. */
const MAX_STATEMENT_BYTES = 16_777_216;

/**
 * How long a commit of unknown outcome is asked about: a fail-over takes longer than a sender
 * waits.
 */
const ASK_MS = 5_000;
const ASK_AGAIN_MS = 100;

export const TAKE_POSITIONS: Statement = {
  name: 'take_positions',
  text: `SELECT nextval('positions') AS n FROM generate_series(1, $1::integer)`,
};

/**
 * Writes, and finds out whether it was committed if the connection was lost meanwhile: by the same
 * write again, which waits at the keys of the first one until that is over.
 * @param write changes nothing the second time; says what is stored now
 * @param onUnknown called before it is asked
 * @throws CommitUnknownError if nobody has answered in time
 */
export async function writeSurely<T>(
  write: () => Promise<T>,
  onUnknown = () => {},
  askMs = ASK_MS,
): Promise<T> {
  let unknown: CommitUnknownError;
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof CommitUnknownError)) throw error;
    unknown = error;
  }
  onUnknown();
  const giveUpAt = performance.now() + askMs;
  for (;;) {
    await delay(ASK_AGAIN_MS);
    try {
      return await write();
    } catch (error) {
      // A second failure, even a clear one, does not say what became of the first write.
      if (!(error instanceof StoreError) || performance.now() > giveUpAt) throw unknown;
    }
  }
}

/** By (identity, source), in the same order in each replica. */
function compareRows({ row: a }: PlacedRow, { row: b }: PlacedRow): number {
  if (a.event.identity !== b.event.identity) return a.event.identity < b.event.identity ? -1 : 1;
  return a.event.source < b.event.source ? -1 : 1;
}

/** What fits into one statement each. */
function* statementsOf(placed: readonly PlacedRow[]): Generator<readonly PlacedRow[]> {
  let begin = 0;
  let bytes = 0;
  for (const [index, { row }] of placed.entries()) {
    bytes += row.sealed.byteLength;
    if (index > begin && (index - begin === MAX_EVENTS || bytes > MAX_STATEMENT_BYTES)) {
      yield placed.slice(begin, index);
      begin = index;
      bytes = row.sealed.byteLength;
    }
  }
  yield placed.slice(begin);
}

async function insertInSteps(
  { sessions, now }: PostgresEngine,
  steps: readonly (readonly PlacedRow[])[],
  count: number,
): Promise<{ readonly receipt: string }[]> {
  return sessions.transaction('append', async (session) => {
    const blocks = await session.query<{ n: number }>(TAKE_POSITIONS, [Math.ceil(count / MAX_EVENTS)]);
    const base = blocks[0]?.n ?? 0;
    const at = now();
    const added: { readonly receipt: string }[] = [];
    for (const step of steps) {
      const placed = step.map(({ row, offset }) => {
        const block = blocks[Math.floor(offset / MAX_EVENTS)]?.n ?? base;
        return { row, offset: block - base + (offset % MAX_EVENTS) };
      });
      const params = [session.stream, ...appendParams(placed, at, base)];
      added.push(...(await session.query<{ readonly receipt: string }>(APPEND, params)));
    }
    return added;
  });
}

/**
 * Inserts events in one transaction, in the order of `rows`.
 * @param rows no two of them with equal source and identity
 * @returns the receipts of those that were not known
 */
export async function insertEvents(
  engine: PostgresEngine,
  rows: readonly EventRow[],
): Promise<ReadonlySet<string>> {
  if (rows.length === 0) return new Set();
  const placed = rows.map((row, offset) => ({ row, offset })).toSorted(compareRows);
  const steps = [...statementsOf(placed)];
  const added =
    steps.length === 1
      ? await engine.sessions.queryAs<{ readonly receipt: string }>(
          'append',
          APPEND,
          appendParams(placed, engine.now(), null),
        )
      : await insertInSteps(engine, steps, rows.length);
  return new Set(added.map(({ receipt }) => receipt));
}
