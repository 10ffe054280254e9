import { randomBytes } from 'node:crypto';
import type { Purpose, Session, Statement } from './session.ts';

/*
 * A connection that could not write is tried again and again. Nobody else would: while the store
 * cannot write, the intake refuses events, and an answer to a read says nothing.
 */

const INTERVAL_MS = 1_000;
/** As much as some events, so that a table has to grow for it. */
const BYTES = 32_768;

const WRITE: Statement = {
  name: 'probe_write',
  text: 'INSERT INTO bodies (day, seq, body) VALUES (0, $1, $2)',
};
const UNDO: Statement = { name: 'probe_undo', text: 'DELETE FROM bodies WHERE day = 0 AND seq = $1' };

/** Nobody sees what it writes. */
async function writeAndUndo(session: Session): Promise<void> {
  const seq = -session.stream;
  await session.query(WRITE, [seq, randomBytes(BYTES)]);
  await session.query(UNDO, [seq]);
}

export interface WriteProbe {
  /** Tries until nothing is refused. Idempotent. */
  start(): void;
  stop(): void;
}

export interface WriteProbeParts {
  /** Purposes whose last write was refused. */
  readonly refused: () => readonly Purpose[];
  readonly transaction: (purpose: Purpose, work: (session: Session) => Promise<void>) => Promise<void>;
}

export function createWriteProbe({ refused, transaction }: WriteProbeParts): WriteProbe {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const probe = async (): Promise<void> => {
    await Promise.allSettled(refused().map((purpose) => transaction(purpose, writeAndUndo)));
    timer = undefined;
    if (refused().length > 0) start();
  };

  const start = (): void => {
    if (!isStopped) timer ??= setTimeout(() => void probe(), INTERVAL_MS).unref();
  };

  return {
    start,
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
