import type { MaintenancePolicy, Overdue, StoreStatus } from '../../journal.ts';
import type { JournalLog } from '../../listeners.ts';
import { readStored } from '../engine/count-changes.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import { readGauges } from './database-gauges.ts';
import { longestOverdue, unownedOverdue } from './unowned-overdue.ts';

/** Time after which a database that does not answer is reported with what was known last. */
const ANSWER_TIMEOUT_MS = 2_000;
/** Time between two signs of life. */
const PULSE_INTERVAL_MS = 1_000;
/** Sizes of tables are read from the file system of the server. */
const GAUGES_INTERVAL_MS = 15_000;

/**
 * What an event takes besides its body: 750 of its row, 220 of its indexes, 160 around the body,
 * measured with 50,000 delivered events of the usual size.
 */
export const EVENT_BYTES = 1_130;

/** Whether the database can be used; see Sessions. */
export interface Availability {
  readonly isConnected: boolean;
  /** ms since the database could be used last; absent while it can. */
  readonly failingForMs?: number;
  readonly failure?: string;
  /** The disk of the server is full. */
  readonly isDiskFull: boolean;
}

export interface StatusParts {
  /** Never waits. */
  readonly availability: () => Availability;
  /** What could be claimed in the slots that this process owns. */
  readonly overdue: () => Promise<readonly Overdue[]>;
  /** Calls that wait for the database. */
  readonly queued: () => number;
  readonly log?: JournalLog | undefined;
}

export interface DatabaseStatus {
  /** Never waits long. */
  read(): Promise<StoreStatus>;
  /** Bytes that the records use now. */
  usedBytes(): Promise<number>;
  silentFor(): number;
  /** From then on the free bytes are those up to the maximum of the policy. */
  setPolicy(policy: () => Pick<MaintenancePolicy, 'maxBytes'>): void;
  stop(): void;
}

/** What was read last. */
interface Known {
  readonly usedBytes: number;
  readonly overdue: readonly Overdue[];
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  const { promise: timeout, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work, timeout]).finally(() => clearTimeout(timer));
}

/** Reads the state of the database, once a second as a sign of life. */
export function createDatabaseStatus(engine: PostgresEngine, parts: StatusParts): DatabaseStatus {
  const { sessions } = engine;
  let answeredAt = performance.now();
  let known: Known = { usedBytes: 0, overdue: [] };
  let gauges: Readonly<Record<string, number>> = {};
  let gaugesAt = Number.NEGATIVE_INFINITY;
  let readMaxBytes: (() => number) | undefined;
  let failed: string | undefined;
  let pulse: Promise<void> | undefined;

  const usedBytes = async (): Promise<number> => {
    const { events, bytes } = await readStored(sessions);
    answeredAt = performance.now();
    return bytes + events * EVENT_BYTES;
  };

  const refresh = async (): Promise<void> => {
    const [used, ...overdue] = await Promise.all([
      usedBytes(),
      parts.overdue(),
      unownedOverdue(sessions, engine.now()),
    ]);
    known = { usedBytes: used, overdue: longestOverdue(overdue.flat()) };
  };

  const refreshGauges = async (): Promise<void> => {
    if (performance.now() - gaugesAt < GAUGES_INTERVAL_MS) return;
    gaugesAt = performance.now();
    gauges = await readGauges(sessions);
  };

  const refreshAll = async (): Promise<void> => {
    try {
      await Promise.all([refresh(), refreshGauges()]);
      failed = undefined;
    } catch (error) {
      // The sessions report an outage; anything else would go unnoticed.
      const { message } = error as Error;
      if (message !== failed && parts.availability().isConnected)
        parts.log?.error({ err: error }, 'the status of the store could not be read');
      failed = message;
    }
  };

  const timer = setInterval(() => {
    // A database that does not answer is not asked again and again.
    pulse ??= usedBytes()
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => (pulse = undefined));
  }, PULSE_INTERVAL_MS).unref();

  return {
    usedBytes,
    silentFor: () => performance.now() - answeredAt,
    setPolicy: (policy) => void (readMaxBytes = () => policy().maxBytes),
    stop: () => clearInterval(timer),
    read: async () => {
      const { isConnected } = parts.availability();
      if (isConnected) await within(ANSWER_TIMEOUT_MS, refreshAll());
      const { failingForMs, failure } = parts.availability();
      return {
        isWritable: failingForMs === undefined,
        ...(failingForMs === undefined ? {} : { failingFor: failingForMs }),
        ...(failure === undefined ? {} : { failure }),
        silentFor: performance.now() - answeredAt,
        queued: parts.queued(),
        overdue: known.overdue,
        usedBytes: known.usedBytes,
        freeBytes: Math.max(0, (readMaxBytes?.() ?? Number.MAX_SAFE_INTEGER) - known.usedBytes),
        gauges,
      };
    },
  };
}
