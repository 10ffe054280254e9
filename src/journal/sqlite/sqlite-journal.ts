import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  type BatchReport,
  type ClaimAnswer,
  type EventRecord,
  type Journal,
  type NewEvent,
  StoreError,
  type StoreHealth,
} from '../journal.ts';
import type { AnswerOf, OperationName, RequestOf } from './engine/calls.ts';
import type { Notice } from './engine/engine.ts';
import { parseKey } from './engine/payload-cipher.ts';
import { DATABASE_FILE } from './engine/store-folder.ts';
import { type CallTracker, Channel, createCallTracker } from './thread/channel.ts';
import { asBuffer, toOwnBytes } from './thread/protocol.ts';
import {
  countEvents,
  createReplayRunner,
  discardEvents,
  listEvents,
  listQuarantine,
  type ReplayRunner,
  rerouteEvents,
} from './thread/stepped-calls.ts';

/** What the journal needs of a logger; a pino logger fits. */
export interface JournalLog {
  error(fields: object, message: string): void;
}

export interface SqliteJournalOptions {
  /** The folder of the store, created if missing. Only one relay at a time can use it. */
  readonly path: string;
  /**
   * As `store.encryptionKeys`: the first key encrypts, all keys decrypt. Without keys payloads are
   * stored unencrypted.
   */
  readonly encryptionKeys: readonly string[];
  readonly log?: JournalLog;
  /** Awaited before a new store is created; nothing is created if it rejects. */
  readonly beforeCreate?: () => Promise<void>;
  /** Called with the absolute path of a folder in which a new store was created. */
  readonly onCreated?: (folder: string) => void;
  /** Maximum number of pages (4 KiB) of the file. For tests of a full disk. */
  readonly maxPages?: number;
  /** Index entries held in memory before they are merged into their table. For tests of merging. */
  readonly generationSize?: number;
  /** Bounds of the counted contacts of a destination. For tests of the bounds. */
  readonly contactBounds?: { readonly counted: number; readonly shared: number };
  /** Called for each batch of calls that the storage thread has answered. */
  readonly onBatch?: (batch: BatchReport) => void;
}

type Listener = (destination: string) => void;

/** Sends one call to the storage thread, unless the journal is closed. */
type Send = <Name extends OperationName>(name: Name, request: RequestOf<Name>) => Promise<AnswerOf<Name>>;

function withOwnBody<T extends { readonly body: Uint8Array }>(value: T): T {
  return { ...value, body: toOwnBytes(value.body) };
}

function toClaimAnswer(answer: AnswerOf<'claim'>): ClaimAnswer {
  return {
    ...answer,
    events: answer.events.map((event) => ({ ...event, body: asBuffer(event.body) })),
  };
}

function toRecord(record: AnswerOf<'find'>): EventRecord | undefined {
  return record && { ...record, body: record.body && asBuffer(record.body) };
}

async function freeBytes(path: string): Promise<number> {
  try {
    const volume = await statfs(path);
    return volume.bavail * volume.bsize;
  } catch (cause) {
    throw new StoreError("the free space of the store's volume cannot be determined", { cause });
  }
}

function writingCalls(send: Send) {
  return {
    append: (event: NewEvent) => send('append', withOwnBody(event)),
    appendMalformed: (body) => send('appendMalformed', withOwnBody(body)),
    recordDifferingCopy: (receipt, at) => send('recordDifferingCopy', { receipt, at }),
    quarantine: (request, bounds) => send('quarantine', { request: withOwnBody(request), bounds }),
    settle: (settlement) => send('settle', settlement),
    countContacts: (request) => send('countContacts', request),
    promote: (receipt, event, by) => send('promote', { receipt, event: withOwnBody(event), by }),
    removeQuarantined: (receipts) => send('removeQuarantined', receipts),
    setPause: (destination, pause) => send('setPause', { destination, pause }),
    savePrograms: (programs) => send('savePrograms', programs),
    retain: (policy, now) => send('retain', { policy, now }),
    reencrypt: (from) => send('reencrypt', { from }),
    probe: () => send('probe', undefined),
  } satisfies Partial<Journal>;
}

function readingCalls(send: Send) {
  return {
    claim: async (request) => toClaimAnswer(await send('claim', request)),
    release: (receipts) => send('release', receipts),
    profiles: (destination, lanes) => send('profiles', { destination, lanes }),
    sharedContacts: (filter) => send('sharedContacts', filter),
    ledger: () => send('ledger', undefined),
    backlog: () => send('backlog', undefined),
    find: async (receiptOrEventId) => toRecord(await send('find', receiptOrEventId)),
    pauses: () => send('pauses', undefined),
    programs: () => send('programs', undefined),
    replays: () => send('replays', undefined),
  } satisfies Partial<Journal>;
}

/** A channel for calls of many steps: refuses further steps once closing begins. */
function interruptible(tracker: CallTracker, channel: Channel): Pick<Channel, 'call'> {
  return {
    call: async (name, request) => {
      if (!tracker.isOpen) throw new StoreError('the store is closing; the call was not completed');
      return channel.call(name, request);
    },
  };
}

function steppedCalls(
  { track }: Pick<CallTracker, 'track'>,
  channel: Pick<Channel, 'call'>,
  runner: ReplayRunner,
  path: string,
) {
  return {
    list: (filter, page) => track(() => listEvents(channel, filter, page)),
    count: (filter) => track(() => countEvents(channel, filter)),
    listQuarantined: (filter, page) => track(() => listQuarantine(channel, filter, page)),
    replay: (request) => track(() => runner.run(request)),
    discard: (filter, by, now) =>
      track(async () => ({ discarded: await discardEvents(channel, { filter, by, now }) })),
    reroute: (source, destination) =>
      track(async () => ({ rerouted: await rerouteEvents(channel, { source, destination }) })),
    health: () =>
      track(async (): Promise<StoreHealth> => {
        // Sequential, so that earlier calls have been written when the free space is read.
        const { usedBytes } = await channel.call('usage', undefined);
        return { usedBytes, freeBytes: await freeBytes(path) };
      }),
  } satisfies Partial<Journal>;
}

function createNotifier(listeners: ReadonlySet<Listener>, log: JournalLog | undefined) {
  return {
    notifyClaimable: (destinations: readonly string[]): void => {
      for (const destination of destinations) {
        for (const listener of listeners) {
          try {
            listener(destination);
          } catch (error) {
            log?.error({ err: error, destination }, 'a listener of the journal failed');
          }
        }
      }
    },
    logNotices: (notices: readonly Notice[]): void => {
      for (const { message, ...fields } of notices) log?.error(fields, message);
    },
  };
}

/**
 * Opens the SQLite journal in a folder.
 * @throws StoreError if the folder cannot be used, is used by another relay, or was written by a
 *   newer version; Error for an invalid key
 */
export async function openSqliteJournal(options: SqliteJournalOptions): Promise<Journal> {
  const { path, maxPages, generationSize, contactBounds, log } = options;
  const claimListeners = new Set<Listener>();
  const { notifyClaimable, logNotices } = createNotifier(claimListeners, log);
  const keys = options.encryptionKeys.map(parseKey);
  const isNew = !existsSync(join(path, DATABASE_FILE));
  if (isNew) await options.beforeCreate?.();
  const channel = new Channel(
    { path, keys, maxPages, generationSize, contactBounds },
    ({ claimable, notices, batch }) => {
      options.onBatch?.(batch);
      notifyClaimable(claimable);
      logNotices(notices);
    },
  );
  await channel.ready;
  if (isNew) options.onCreated?.(resolve(path));
  const tracker = createCallTracker();
  const send: Send = (name, request) => tracker.track(() => channel.call(name, request));
  const replayListeners = new Set<() => void>();
  const steps = interruptible(tracker, channel);
  const runner = createReplayRunner(steps, {
    ended: () => {
      for (const listener of replayListeners) listener();
    },
    failed: (error) => log?.error({ err: error }, 'a replay step failed and will be retried'),
  });
  runner.resume();
  return {
    ...writingCalls(send),
    ...readingCalls(send),
    ...steppedCalls(tracker, steps, runner, path),
    onClaimable: (listener) => {
      // Wrapped, so that the same function can be subscribed twice.
      const own: Listener = (destination) => listener(destination);
      claimListeners.add(own);
      return () => void claimListeners.delete(own);
    },
    onReplayed: (listener) => {
      const own = () => listener();
      replayListeners.add(own);
      return () => void replayListeners.delete(own);
    },
    msSinceHeartbeat: () => channel.msSinceHeartbeat(),
    queued: () => channel.queued(),
    failed: channel.failed,
    close: async () => {
      const stopped = runner.stop();
      await tracker.drain();
      await stopped;
      await channel.close();
    },
  };
}
