import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  type AppendCall,
  createAppendGathering,
} from '../../src/journal/postgres/engine/append-gathering.ts';
import type { EventRow } from '../../src/journal/postgres/engine/append-statement.ts';
import { sampleEvent } from '../contract/samples.ts';
import { until } from '../helpers/until.ts';

function rowOf(bytes: number): EventRow {
  const { body: _body, ...event } = sampleEvent();
  return { event, receipt: '', day: 0, sealed: new Uint8Array(bytes), bodyBytes: bytes };
}

/** A database that answers when it is told to. */
function createDatabase(underWay = 2) {
  const statements: { calls: readonly AppendCall<number>[]; done: () => void; end: () => void }[] = [];
  const gather = createAppendGathering<number>(
    (calls, done) =>
      new Promise((resolve) => {
        const end = (): void => {
          for (const { rows, resolve: answer } of calls) answer(rows.map(({ bodyBytes }) => bodyBytes));
          resolve();
        };
        statements.push({ calls, done, end });
      }),
    underWay,
  );
  const append = (count = 1, bytes = 1): Promise<readonly number[]> =>
    new Promise((resolve, reject) => {
      const rows = Array.from({ length: count }, () => rowOf(bytes));
      gather({ rows, bytes: count * bytes, resolve, reject });
    });
  const sizes = () => statements.map(({ calls }) => calls.length);
  return { statements, append, sizes };
}

describe('gathering appends to PostgreSQL', () => {
  it('lets one that comes alone wait for nobody, and answers each with its own', async () => {
    const { statements, append, sizes } = createDatabase();
    const first = append(1, 7);
    await nextTurn();
    expect(sizes()).toEqual([1]);
    statements[0]!.end();
    expect(await first).toEqual([7]);
  });

  it('writes together what comes in one turn, and what comes soon after', async () => {
    const { append, sizes } = createDatabase();
    for (let n = 0; n < 40; n += 1) void append();
    await nextTurn();
    expect(sizes()).toEqual([40]);
    void append();
    await nextTurn();
    void append();
    await nextTurn();
    expect(sizes()).toEqual([40]);
    await until(() => sizes().length === 2);
    expect(sizes()).toEqual([40, 2]);
  });

  it('has only so many statements under way, and begins the next with all that waits', async () => {
    const { statements, append, sizes } = createDatabase(2);
    for (let turn = 0; turn < 4; turn += 1) {
      for (let n = 0; n < 32; n += 1) void append();
      await nextTurn();
    }
    expect(sizes()).toEqual([32, 32]);
    statements[0]!.done();
    await nextTurn();
    expect(sizes()).toEqual([32, 32, 64]);
    // Its place was free already.
    statements[0]!.end();
    void append(40);
    await nextTurn();
    expect(sizes()).toEqual([32, 32, 64]);
    statements[1]!.end();
    await until(() => sizes().length === 4);
    expect(sizes()).toEqual([32, 32, 64, 1]);
  });

  it('ends a statement before it is too large, but never within a call', async () => {
    const { statements, append, sizes } = createDatabase(8);
    for (const count of [500, 20, 3_000, 1]) void append(count);
    for (const bytes of [3_000_000, 3_000_000, 1]) void append(1, bytes);
    await until(
      () =>
        sizes()
          .flat()
          .reduce((sum, n) => sum + n, 0) === 7,
    );
    expect(sizes()).toEqual([1, 1, 1, 2, 2]);
    expect(statements.map(({ calls }) => calls[0]!.rows.length)).toEqual([500, 20, 3_000, 1, 1]);
  });
});
