import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { BatchReport, Journal } from '../journal.ts';
import { createListeners } from '../listeners.ts';
import { createPayloadCipher, parseKey, type Unreadable } from '../payload-cipher.ts';
import { createCallTracker } from './call-tracker.ts';
import { createAppends } from './engine/event-appends.ts';
import type { PostgresEngine } from './engine/engine.ts';
import { createSettlements } from './engine/settlements.ts';
import type { FleetTiming } from './fleet/fleet-timing.ts';
import { createPostgresFleet, LEADER_TASK } from './fleet/postgres-fleet.ts';
import { createLandings } from './landing/postgres-landings.ts';
import { createEventLog } from './log/postgres-event-log.ts';
import { createQuarantine } from './log/postgres-quarantine.ts';
import { createMaintenance } from './maintenance/postgres-maintenance.ts';
import { createQueueOwner } from './queue/queue-owner.ts';
import { openSessions } from './sessions/open-sessions.ts';

export interface PostgresJournalOptions {
  /** `store.url`; asked for each connection, since the password may have been replaced. */
  readonly url: () => Promise<string> | string;
  /** Certificates (PEM) that are trusted in addition to Node's; asked for each connection. */
  readonly ca?: (() => string | undefined) | undefined;
  readonly schema: string;
  readonly connections?: number;
  /** As `store.encryptionKeys`: the first key encrypts, all keys decrypt. */
  readonly encryptionKeys: readonly string[];
  readonly log: Logger;
  /** Called for each event that became a dead letter because its payload is damaged. */
  readonly onPayloadLost?: (destination: string) => void;
  /** Called for each call that the database has answered. */
  readonly onBatch?: (batch: BatchReport) => void;
  /** How long to wait for a database that does not answer; 30 s by default. */
  readonly startLimitMs?: number;
  /** Epoch ms, in place of the database's clock. For tests. */
  readonly clock?: () => number;
  /** For tests of replicas that fail. */
  readonly timing?: Partial<FleetTiming>;
  /** Bounds of the counted contacts of a destination. For tests of the bounds. */
  readonly contactBounds?: { readonly counted: number; readonly shared: number };
}

/** Reports each thing that cannot be read once. */
function createUnreadableReport(log: Logger) {
  const reported = new Set<string>();
  return (what: string, why: Unreadable, receipt?: string): void => {
    const id = `${what} ${receipt ?? ''}`;
    if (reported.has(id)) return;
    reported.add(id);
    const reason = why === 'damaged' ? 'is damaged' : 'needs an encryption key that is not configured';
    log.error({ receipt }, `${what} ${reason}`);
  };
}

/**
 * Opens the journal in a PostgreSQL database as one of any number of replicas.
 * @throws StoreError if the database cannot be used; Error for an invalid key
 */
export async function openPostgresJournal(options: PostgresJournalOptions): Promise<Journal> {
  const { log, onBatch, onPayloadLost } = options;
  const cipher = createPayloadCipher(options.encryptionKeys.map(parseKey));
  const replica = randomUUID();
  const sessions = await openSessions({ ...options, replica });
  const fleet = createPostgresFleet({ sessions, replica, log, timing: options.timing });
  const claimable = createListeners<string>(log);
  fleet.onClaimableHint(claimable.call);
  const engine: PostgresEngine = {
    sessions,
    cipher,
    replica,
    now: options.clock ?? (() => fleet.clock()),
    reportUnreadable: createUnreadableReport(log),
    notifyClaimable: (destination) => {
      claimable.call(destination);
      fleet.hintClaimable(destination);
    },
  };
  const closing = new AbortController();
  const owner = createQueueOwner(engine, fleet.leases, {
    onPayloadLost: ({ destination }) => onPayloadLost?.(destination),
  });
  const eventLog = createEventLog(engine, { closing: closing.signal, claims: owner.claims });
  const tracker = createCallTracker(onBatch);
  const maintenance = createMaintenance(engine, {
    lease: fleet.tasks.lease(LEADER_TASK),
    continueJobs: (signal) => eventLog.continueJobs(signal),
    availability: () => sessions.state(),
    overdue: () => owner.overdue(),
    queued: () => tracker.running,
    log,
  });
  sessions.onServerChange(() => {
    log.warn({}, 'another database server answers, or it was restarted');
    owner.restart();
  });
  const closeConnections = async (): Promise<void> => {
    await fleet.close();
    await sessions.close();
  };
  try {
    await fleet.start();
  } catch (error) {
    await maintenance.stop();
    await closeConnections();
    throw error;
  }
  const settlements = createSettlements(engine, owner.claims, options.contactBounds);
  return {
    ...fleet,
    ...maintenance,
    ...tracker.writes(createAppends(engine)),
    ...tracker.writes({ settle: settlements.settle, countContacts: settlements.countContacts }),
    ...tracker.reads({ profiles: settlements.profiles, sharedContacts: settlements.sharedContacts }),
    ...tracker.reads({
      claim: (claimant, limits) => owner.claim(claimant, limits),
      release: (token, receipts) => owner.release(token, receipts),
    } satisfies Partial<Journal>),
    ...tracker.reads(eventLog),
    ...tracker.reads(createLandings(engine)),
    ...tracker.writes(createQuarantine(engine)),
    holds: (receipt) => owner.holds(receipt),
    onClaimable: claimable.add,
    async close() {
      closing.abort();
      await maintenance.stop();
      await tracker.drain();
      await eventLog.jobsStopped();
      await closeConnections();
    },
  };
}
