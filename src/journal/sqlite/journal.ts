import { statfs } from 'node:fs/promises';
import {
  type EventRecord,
  type Journal,
  type NewEvent,
  type StoreHealth,
  StoreError,
  type ClaimAnswer,
} from '../journal.ts';
import { asBuffer, ownBytes } from './buffers.ts';
import { Channel } from './channel.ts';
import { createGate, type Gate } from './gate.ts';
import { listEvents, listQuarantine } from './paging.ts';
import type { AnswerOf, BatchReport, Notice, OperationName, RequestOf } from './protocol.ts';
import { parseKey } from './seal.ts';
import { createReplayRunner, type ReplayRunner } from './replay-runner.ts';
import { countEvents, discardEvents, rerouteEvents } from './stepping.ts';

/** What the journal needs of a logger; pino's fits. */
export interface JournalLog {
  error(fields: object, message: string): void;
}

export interface SqliteJournalOptions {
  /** The folder of the store; made when it is not there. One relay at a time can have it. */
  readonly path: string;
  /** As `store.encryptionKeys`: the first closes, all of them open. Empty: payloads are stored as they are. */
  readonly encryptionKeys: readonly string[];
  readonly log?: JournalLog;
  /** The most pages (4 KiB) the file may have; then it is full. For tests of a full disk. */
  readonly maxPages?: number;
  /** Entries of an index that are in memory before they are merged into its table. For tests of merging. */
  readonly generation?: number;
  /** Told of each batch of calls that the storage thread has answered. */
  readonly onBatch?: (batch: BatchReport) => void;
}

type Listener = (destination: string) => void;

/** A call that goes through the gate; what the calls below are made of. */
type Ask = <Name extends OperationName>(name: Name, request: RequestOf<Name>) => Promise<AnswerOf<Name>>;

function withOwnBody<T extends { readonly body: Uint8Array }>(value: T): T {
  return {
    ...value,
    body: ownBytes(value.body),
  };
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
    throw new StoreError('the volume of the store cannot be read', { cause });
  }
}

function writing(ask: Ask) {
  return {
    append: (event: NewEvent) => ask('append', withOwnBody(event)),
    appendMalformed: (body) => ask('appendMalformed', withOwnBody(body)),
    quarantine: (request, bounds) => ask('quarantine', { request: withOwnBody(request), bounds }),
    settle: (settlement) => ask('settle', settlement),
    promote: (receipt, event, by) => ask('promote', { receipt, event: withOwnBody(event), by }),
    removeQuarantined: (receipts) => ask('removeQuarantined', receipts),
    setPause: (destination, pause) => ask('setPause', { destination, pause }),
    retain: (policy, now) => ask('retain', { policy, now }),
    reseal: (from) => ask('reseal', { from }),
    probe: () => ask('probe', undefined),
  } satisfies Partial<Journal>;
}

function reading(ask: Ask) {
  return {
    claim: async (request) => toClaimAnswer(await ask('claim', request)),
    release: (receipts) => ask('release', receipts),
    profiles: (destination, lanes) => ask('profiles', { destination, lanes }),
    ledger: () => ask('ledger', undefined),
    backlog: () => ask('backlog', undefined),
    find: async (receiptOrEventId) => toRecord(await ask('find', receiptOrEventId)),
    pauses: () => ask('pauses', undefined),
    replays: () => ask('replays', undefined),
  } satisfies Partial<Journal>;
}

/** For calls of many steps: once the journal is being closed no further step is taken, so that a scan of millions does not hold a shutdown. */
function stepper(gate: Gate, channel: Channel): Pick<Channel, 'call'> {
  return {
    call: async (name, request) => {
      if (!gate.isOpen) throw new StoreError('the store is being closed before the call is through');
      return channel.call(name, request);
    },
  };
}

function scanning(gate: Gate, channel: Pick<Channel, 'call'>, runner: ReplayRunner, path: string) {
  return {
    list: (filter, page) => gate.through(() => listEvents(channel, filter, page)),
    count: (filter) => gate.through(() => countEvents(channel, filter)),
    listQuarantined: (filter, page) => gate.through(() => listQuarantine(channel, filter, page)),
    replay: (request) => gate.through(() => runner.run(request)),
    discard: (filter, by, now) =>
      gate.through(async () => ({ discarded: await discardEvents(channel, { filter, by, now }) })),
    reroute: (source, destination) =>
      gate.through(async () => ({ rerouted: await rerouteEvents(channel, { source, destination }) })),
    health: () =>
      gate.through(async (): Promise<StoreHealth> => {
        // One after the other: what was called before must have been written when the volume is looked at.
        const { usedBytes } = await channel.call('usage', undefined);
        return { usedBytes, freeBytes: await freeBytes(path) };
      }),
  } satisfies Partial<Journal>;
}

function telling(listeners: ReadonlySet<Listener>, log: JournalLog | undefined) {
  return {
    claimable: (destinations: readonly string[]): void => {
      for (const destination of destinations) {
        for (const listener of listeners) {
          try {
            listener(destination);
          } catch (error) {
            log?.error({ err: error, destination }, 'a listener of the store failed');
          }
        }
      }
    },
    notices: (notices: readonly Notice[]): void => {
      for (const { message, ...fields } of notices) log?.error(fields, message);
    },
  };
}

/**
 * Opens the journal over SQLite in a folder.
 * @throws StoreError when the folder cannot be used, is another relay's, or was written by a newer one; Error for a key that is none.
 */
export async function openSqliteJournal(options: SqliteJournalOptions): Promise<Journal> {
  const { path, maxPages, generation, log } = options;
  const listeners = new Set<Listener>();
  const tell = telling(listeners, log);
  const keys = options.encryptionKeys.map(parseKey);
  const channel = new Channel({ path, keys, maxPages, generation }, ({ claimable, notices, batch }) => {
    options.onBatch?.(batch);
    tell.claimable(claimable);
    tell.notices(notices);
  });
  await channel.ready;
  const gate = createGate();
  const ask: Ask = (name, request) => gate.through(() => channel.call(name, request));
  const replayed = new Set<() => void>();
  const steps = stepper(gate, channel);
  const runner = createReplayRunner(steps, {
    ended: () => {
      for (const listener of replayed) listener();
    },
    failed: (error) => log?.error({ err: error }, 'a replay cannot go on just now; it is tried again'),
  });
  runner.resume();
  return {
    ...writing(ask),
    ...reading(ask),
    ...scanning(gate, steps, runner, path),
    onClaimable: (listener) => {
      // Wrapped, so that the same function given twice is two listeners.
      const own: Listener = (destination) => listener(destination);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    onReplayed: (listener) => {
      const own = () => listener();
      replayed.add(own);
      return () => void replayed.delete(own);
    },
    pulseAge: () => channel.pulseAge(),
    queued: () => channel.queued(),
    failed: channel.failed,
    close: async () => {
      const stopped = runner.stop();
      await gate.shut();
      await stopped;
      await channel.close();
    },
  };
}
