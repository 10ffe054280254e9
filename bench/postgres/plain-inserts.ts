import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startChild, stopChild } from '../processes/child.ts';

const PROGRAM = fileURLToPath(new URL('../load/plain-insert.ts', import.meta.url));

interface InsertRun {
  readonly url: string;
  /** Of a relay, whose tables are copied. */
  readonly schema: string;
  readonly callers: number;
  readonly count: number;
  readonly bodyBytes: number;
}

/**
 * Events a second whose rows a program inserts by hand-written statements of many rows, into tables
 * as those of the relay.
 */
export async function plainInsertRate(run: InsertRun): Promise<number> {
  const child = startChild([PROGRAM], true);
  child.send(run);
  const [{ tookMs }] = (await once(child, 'message')) as [{ readonly tookMs: number }];
  await stopChild(child);
  return (run.count * 1_000) / tookMs;
}
