import { resolve } from 'node:path';
import {
  type BatchReport,
  type Claim,
  type ClaimedEvent,
  type EventRecord,
  type Journal,
  type MaintenancePolicy,
  type MaintenanceReport,
  StoreError,
} from '../journal.ts';
import { createListeners, type JournalLog } from '../listeners.ts';
import { createSingleFleet } from '../single-fleet.ts';
import type { AnswerOf, OperationName, RequestOf } from './engine/calls.ts';
import { parseKey } from '../payload-cipher.ts';
import { isWithoutStore, noStoreProblem } from './engine/store-folder.ts';
import { createAppendGatherer } from './thread/append-gatherer.ts';
import { type CallTracker, Channel, createCallTracker } from './thread/channel.ts';
import { asBuffer, toOwnBytes } from './thread/protocol.ts';
import { landingCalls } from './thread/landing-channel.ts';
import { createFileWatch } from './thread/file-watch.ts';
import { createMaintenanceRunner, type MaintenanceRunner } from './thread/maintenance-runner.ts';
import { createOnlineBackup, removeTemporaryBackups } from './thread/online-backup.ts';
import { createStatusReader, readStatus } from './thread/status-reader.ts';
import {
  countEvents,
  countRefreshes,
  discardEvents,
  listEvents,
  listQuarantine,
  rerouteEvents,
} from './thread/stepped-calls.ts';

export interface SqliteJournalOptions {
  /** The folder of the store, created if missing. Only one relay at a time can use it. */
  readonly path: string;
  /**
   * As `store.encryptionKeys`: the first key encrypts, all keys decrypt. Without keys payloads are
   * stored unencrypted.
   */
  readonly encryptionKeys: readonly string[];
  readonly log?: JournalLog;
  /** As `store.expect`: `existing` refuses to create a store. */
  readonly expect?: 'existing' | 'any';
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
  /** Epoch ms in shared memory, in place of the system's clock. For tests. */
  readonly clock?: Float64Array;
  /** Called for each event that became a dead letter because its payload is damaged. */
  readonly onPayloadLost?: (destination: string) => void;
  /** Called for each batch of calls that the storage thread has answered. */
  readonly onBatch?: (batch: BatchReport) => void;
}

/** Sends one call to the storage thread, unless the journal is closed. */
type Send = <Name extends OperationName>(name: Name, request: RequestOf<Name>) => Promise<AnswerOf<Name>>;

function withOwnBody<T extends { readonly body: Uint8Array }>(value: T): T {
  return { ...value, body: toOwnBytes(value.body) };
}

function toClaim({ events, lengths, bodies, ...answer }: AnswerOf<'claim'>): Claim {
  const all = asBuffer(bodies);
  let end = 0;
  const withBody = (event: (typeof events)[number], index: number): ClaimedEvent => {
    const start = end;
    end += lengths[index] ?? 0;
    return Object.assign(event, { body: all.subarray(start, end) });
  };
  return { ...answer, events: events.map(withBody) };
}

function toRecord(record: AnswerOf<'find'>): EventRecord | undefined {
  return record && { ...record, body: record.body && asBuffer(record.body) };
}

function writingCalls(send: Send) {
  return {
    appendMalformed: (body) => send('appendMalformed', withOwnBody(body)),
    recordDifferingCopy: (receipt) => send('recordDifferingCopy', receipt),
    quarantine: (request, bounds) => send('quarantine', { request: withOwnBody(request), bounds }),
    settle: (token, settlements) => send('settle', { token, settlements }),
    refresh: (request) => send('refresh', request),
    countContacts: (request) => send('countContacts', request),
    promote: (receipt, event, by) => send('promote', { receipt, event: withOwnBody(event), by }),
    removeQuarantined: (receipts) => send('removeQuarantined', receipts),
    pause: (destination, by) => send('pause', { destination, by }),
    resume: (destination) => send('resume', destination),
    savePrograms: (programs) => send('savePrograms', programs),
  } satisfies Partial<Journal>;
}

function readingCalls(send: Send) {
  return {
    release: (token, receipts) => send('release', { token, receipts }),
    enrichments: (receipts) => send('enrichments', receipts),
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
  runner: MaintenanceRunner,
) {
  return {
    list: (filter, page) => track(() => listEvents(channel, filter, page)),
    count: (filter) => track(() => countEvents(channel, filter)),
    refreshes: () => track(() => countRefreshes(channel)),
    listQuarantined: (filter, page) => track(() => listQuarantine(channel, filter, page)),
    replay: (request) => track(() => runner.replay(request)),
    startReplay: (request) => track(() => runner.startReplay(request)),
    discard: (filter, by) => track(async () => ({ discarded: await discardEvents(channel, { filter, by }) })),
    reroute: (source, destination, by) =>
      track(async () => ({ rerouted: await rerouteEvents(channel, { source, destination, by }) })),
  } satisfies Partial<Journal>;
}

function noStoreError(path: string): StoreError {
  const { reason, fix } = noStoreProblem(path);
  return new StoreError(reason, { fix });
}

/**
 * Opens the SQLite journal in a folder.
 * @throws StoreError if the folder cannot be used, is used by another relay, or was written by a
 *   newer version; Error for an invalid key
 */
export async function openSqliteJournal(options: SqliteJournalOptions): Promise<Journal> {
  const { path, maxPages, generationSize, contactBounds, clock, log } = options;
  const claimable = createListeners<string>(log);
  const maintenance = createListeners<MaintenanceReport>(log);
  const keys = options.encryptionKeys.map(parseKey);
  const isNew = isWithoutStore(path);
  if (isNew && options.expect === 'existing') throw noStoreError(path);
  if (isNew) await options.beforeCreate?.();
  const channel = new Channel({ path, keys, maxPages, generationSize, contactBounds, clock }, (answers) => {
    options.onBatch?.(answers.batch);
    for (const destination of answers.claimable) claimable.call(destination);
    for (const { message, level = 'error', ...fields } of answers.notices) {
      log?.[level]?.(fields, message);
      if (fields.destination !== undefined) options.onPayloadLost?.(fields.destination);
    }
  });
  await channel.ready;
  await removeTemporaryBackups(path);
  if (isNew) options.onCreated?.(resolve(path));
  const watch = createFileWatch(path);
  await watch().catch(() => undefined);
  const tracker = createCallTracker();
  const send: Send = (name, request) => tracker.track(() => channel.call(name, request));
  const gather = createAppendGatherer((packed) => channel.call('append', packed));
  const steps = interruptible(tracker, channel);
  const runner = createMaintenanceRunner(steps, maintenance.call, () => readStatus(steps, path));
  runner.resumeReplays();
  let policy: (() => MaintenancePolicy) | undefined;
  const backup = createOnlineBackup({
    channel,
    minFree: () => policy?.().minFree ?? 0,
    isOpen: () => tracker.isOpen,
  });
  const claimed = new Set<string>();
  return {
    ...createSingleFleet(() => [...claimed]),
    ...writingCalls(send),
    append: (events) => tracker.track(() => gather(events)),
    ...readingCalls(send),
    ...landingCalls(send),
    claim: async (claimant, limits) => {
      claimed.add(claimant.destination);
      return toClaim(await send('claim', { claimant, limits }));
    },
    // Nobody else can claim what this process has claimed.
    holds: () => true,
    ...steppedCalls(tracker, steps, runner),
    onClaimable: claimable.add,
    onMaintenance: maintenance.add,
    maintain: (current) => {
      policy ??= current;
      runner.maintain(current);
    },
    backup: (file) => tracker.track(() => backup(file)),
    status: createStatusReader(channel, path, { watch, onProblem: (problem) => log?.error({}, problem) }),
    silentFor: () => channel.msSinceHeartbeat(),
    failed: channel.failed,
    close: async () => {
      const stopped = runner.stop();
      await tracker.drain();
      await stopped;
      await channel.close();
    },
  };
}
