import { statfs } from 'node:fs/promises';
import type { StoreStatus } from '../../journal.ts';
import type { EngineStatus } from '../engine/calls.ts';
import type { Channel, WriteFailure } from './channel.ts';

/** Time after which a thread that does not answer is reported with what was known last. */
const ANSWER_TIMEOUT_MS = 2_000;

const NOTHING_KNOWN: EngineStatus = {
  usedBytes: 0,
  freeInside: 0,
  owedBytes: 0,
  overdue: [],
  gauges: {},
};

/** The failure of the last status if it lasts. */
function continued(before: WriteFailure | undefined, message: string | undefined): WriteFailure | undefined {
  if (message === undefined) return undefined;
  return before ?? { since: performance.now(), message };
}

/** Undefined after the time limit. */
async function within<T>(ms: number, answer: Promise<T>): Promise<T | undefined> {
  const { promise: timeout, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, ms, undefined);
  return Promise.race([answer, timeout]).finally(() => clearTimeout(timer));
}

/** Adds the bytes that new records can use: on the volume, and inside the file. */
export interface ReadStatus extends EngineStatus {
  readonly freeBytes: number;
}

/** Reads what is true now; rejects if the thread or the volume cannot say it. */
export async function readStatus(channel: Pick<Channel, 'call'>, path: string): Promise<ReadStatus> {
  const status = await channel.call('status', undefined);
  const { bavail, bsize } = await statfs(path);
  const free = bavail * bsize + status.freeInside - status.owedBytes;
  return { ...status, freeBytes: Math.max(0, free) };
}

/** A problem with the files of the store, since it was first seen. */
function createFileCheck(
  watch: () => Promise<string | undefined>,
  onProblem: (problem: string) => void,
): () => Promise<WriteFailure | undefined> {
  let found: WriteFailure | undefined;
  return async () => {
    const message = await within(ANSWER_TIMEOUT_MS, watch()).catch(() => undefined);
    if (message !== undefined && message !== found?.message) onProblem(message);
    found = message === undefined ? undefined : { since: found?.since ?? performance.now(), message };
    return found;
  };
}

/**
 * Reads the status of the store. A store whose files are gone counts as unwritable, though what is
 * open can still be written. A failed write makes the store unwritable until a write that
 * changes nothing succeeds, which is tried at each call.
 */
export function createStatusReader(
  channel: Pick<Channel, 'call' | 'msSinceHeartbeat' | 'queued' | 'writeFailure'>,
  path: string,
  files: {
    readonly watch: () => Promise<string | undefined>;
    /** Called once for each problem with the files. */
    readonly onProblem: (problem: string) => void;
  },
): () => Promise<StoreStatus> {
  const checkFiles = createFileCheck(files.watch, files.onProblem);
  let known: ReadStatus = { ...NOTHING_KNOWN, freeBytes: 0 };
  let failure: WriteFailure | undefined;

  const read = async (): Promise<void> => {
    if (channel.writeFailure !== undefined || known.failure !== undefined)
      await channel.call('probe', undefined).catch(() => undefined);
    known = await readStatus(channel, path);
  };

  return async () => {
    const [missing] = await Promise.all([
      checkFiles(),
      within(ANSWER_TIMEOUT_MS, read()).catch(() => undefined),
    ]);
    failure = missing ?? channel.writeFailure ?? continued(failure, known.failure);
    return {
      isWritable: failure === undefined,
      ...(failure === undefined
        ? {}
        : { failingFor: performance.now() - failure.since, failure: failure.message }),
      silentFor: channel.msSinceHeartbeat(),
      queued: channel.queued(),
      overdue: known.overdue,
      usedBytes: known.usedBytes,
      freeBytes: known.freeBytes,
      gauges: known.gauges,
    };
  };
}
