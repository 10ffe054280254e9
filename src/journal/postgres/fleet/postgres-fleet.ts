import { hostname } from 'node:os';
import { readVersion } from '../../../version.ts';
import { type Fleet, type FleetNotice, type ReplicaReport, SLOTS } from '../../fleet.ts';
import { createListeners, type JournalLog } from '../../listeners.ts';
import type { Sessions } from '../sessions/session.ts';
import { createDatabaseClock } from './database-clock.ts';
import { LEAVE, NOTIFY, OTHER_REPORTS, POST_REPORT, REMOVE_REPLICAS } from './fleet-statements.ts';
import { FLEET_TIMING, type FleetClocks, type FleetTiming, SYSTEM_CLOCKS } from './fleet-timing.ts';
import { createHeartbeat, type FleetView, type Self } from './heartbeat.ts';
import type { Leases, Tasks } from './leases.ts';
import { createNotices } from './notices.ts';
import { replicaList } from './replica-list.ts';
import { createRounds } from './rounds.ts';
import { createSlotExchange } from './slot-exchange.ts';
import { createSlotOwnership } from './slot-ownership.ts';
import { createTaskLeases } from './task-leases.ts';

/** The task whose owner is the leader. */
export const LEADER_TASK = 'maintenance';

/** Longest time in ms that saying goodbye may take. */
const LEAVE_TIMEOUT_MS = 800;

/** The replicas of a store in PostgreSQL, and what this one owns. */
export interface PostgresFleet extends Fleet {
  readonly leases: Leases;
  readonly tasks: Tasks;
  /** Epoch ms by the database's clock, estimated without asking it. */
  clock(): number;
  /** Tells the other replicas, if there are any, that something became claimable. */
  hintClaimable(destination: string): void;
  /** Calls the listener when another replica said so, or when such a hint may have been lost. */
  onClaimableHint(listener: (destination: string) => void): () => void;
  /**
   * Sends the first heartbeat and goes on with one a second.
   * @throws StoreError if the first one fails; the next ones follow nevertheless
   */
  start(): Promise<void>;
  /** Gives everything back at once. Idempotent, never rejects, takes less than a second. */
  close(): Promise<void>;
}

export interface PostgresFleetParts {
  readonly sessions: Pick<Sessions, 'query' | 'channel' | 'listen'>;
  /** A UUID that is never used again. */
  readonly replica: string;
  readonly log?: JournalLog | undefined;
  readonly name?: string;
  readonly version?: string;
  readonly timing?: Partial<FleetTiming> | undefined;
  readonly clocks?: FleetClocks;
}

function emptyReport(): ReplicaReport {
  return {};
}

export function createPostgresFleet(parts: PostgresFleetParts): PostgresFleet {
  const { sessions, replica, log } = parts;
  const clocks = parts.clocks ?? SYSTEM_CLOCKS;
  const timing = { ...FLEET_TIMING, ...parts.timing };
  const self: Self = {
    id: replica,
    name: parts.name ?? hostname(),
    version: parts.version ?? readVersion(),
    since: clocks.wall(),
  };
  const clock = createDatabaseClock(clocks.monotonic, clocks.wall);
  const sharesChanged = createListeners<void>(log);
  const heard = createListeners<FleetNotice>(log);
  const claimable = createListeners<string>(log);
  const joins = new Map<string, Promise<void>>();
  let describe = emptyReport;
  let last: { readonly view: FleetView; readonly at: number } | undefined;
  let lastShares = '';
  let isTrusted = true;
  let removedAt = Number.NEGATIVE_INFINITY;
  let closing: Promise<void> | undefined;

  const heartbeat = createHeartbeat({
    sessions,
    self,
    clock,
    clocks,
    timing,
    destinations: () => ownership.destinations,
    report: () => describe(),
  });
  const isFresh = (): boolean => heartbeat.isFresh();
  const ownership = createSlotOwnership({
    replica,
    isFresh,
    monotonic: clocks.monotonic,
    drainMs: timing.drain,
  });
  const exchange = createSlotExchange({ sessions, replica, ownership, leaseMs: timing.lease });
  const tasks = createTaskLeases({ sessions, replica, isFresh, leaseMs: timing.lease });
  const leader = tasks.lease(LEADER_TASK);
  const isLeader = (): boolean => leader.epoch() !== undefined;
  const notices = createNotices({
    replica,
    send: (payload) => sessions.query('fleet', NOTIFY, [sessions.channel, payload]),
    intervalMs: timing.notify,
    listeners: { onNotice: heard.call, onClaimable: claimable.call, onLook: () => rounds.soon() },
  });
  const replicaCount = (): number => 1 + (last?.view.others.length ?? 0);
  const shareOf = (destination: string): number => ownership.owned(destination).size / SLOTS;

  const reportShares = (): void => {
    const shares = JSON.stringify([replicaCount(), ownership.destinations.map(shareOf)]);
    if (shares !== lastShares) sharesChanged.call();
    lastShares = shares;
  };

  const hintAll = (): void => {
    for (const destination of ownership.destinations) claimable.call(destination);
  };

  /** Says once that the lease is in doubt, and once that it is not any more. */
  const reportTrust = (error?: unknown): void => {
    if (isFresh() === isTrusted) return;
    isTrusted = !isTrusted;
    if (isTrusted) {
      log?.info?.({}, 'heartbeats reach the database again: this replica claims events');
      hintAll();
    } else log?.warn?.({ err: error }, 'no heartbeat reaches the database: this replica claims nothing');
  };

  const removeReplicas = async (): Promise<void> => {
    if (!isLeader() || clocks.monotonic() - removedAt < timing.forget) return;
    removedAt = clocks.monotonic();
    await sessions.query('fleet', REMOVE_REPLICAS, [timing.forget]);
  };

  const giveBack = async (): Promise<void> => {
    if (await exchange.giveBack()) notices.look();
    if (ownership.isDraining) rounds.giveBackIn(timing.drainCheck);
    reportShares();
  };

  const round = async (): Promise<void> => {
    try {
      const view = await heartbeat.beat((read) => {
        last = { view: read, at: clocks.monotonic() };
        ownership.apply(read.slots, read.isServerChanged);
        tasks.apply(read.tasks);
      });
      await tasks.take(view);
      await exchange.balance(view);
      await giveBack();
      await removeReplicas();
      reportTrust();
    } catch (error) {
      reportTrust(error);
      throw error;
    }
  };
  const rounds = createRounds({ round, giveBack, intervalMs: timing.beat });

  const join = (destination: string): Promise<void> => {
    const known = joins.get(destination);
    if (known !== undefined) return known;
    ownership.add(destination);
    const joined = rounds.now().then(() => notices.look());
    joins.set(destination, joined);
    joined.catch(() => joins.delete(destination));
    return joined;
  };

  const leave = async (): Promise<void> => {
    notices.close();
    await rounds.close();
    heartbeat.end();
    await sessions.query('fleet', LEAVE, [replica, sessions.channel, notices.goodbye]).catch(() => undefined);
  };

  return {
    leases: {
      join,
      claimable: ownership.claimable,
      isOwned: ownership.isOwned,
      onChange: ownership.onChange,
      heldSlots: ownership.heldSlots,
    },
    tasks,
    clock: () => clock.now(),
    replicas: async () => {
      if (last === undefined || heartbeat.age() > 2 * timing.beat) await rounds.now();
      if (last === undefined) return [];
      const { view, at } = last;
      const ownSlots = Object.fromEntries(
        ownership.destinations.map((name) => [name, ownership.owned(name).size]),
      );
      return replicaList({
        self,
        view,
        ownSlots,
        isLeader: isLeader(),
        leaderTask: LEADER_TASK,
        report: describe(),
        age: clocks.monotonic() - at,
      });
    },
    replicaCount,
    isLeader,
    shareOf,
    onShares: sharesChanged.add,
    describe: (report) => {
      describe = report;
    },
    async postReport(of, json) {
      await sessions.query('work', POST_REPORT, [replica, of, json]);
    },
    async otherReports(of) {
      const params = [replica, timing.lease, of];
      const rows = await sessions.query<{ json: string }>('work', OTHER_REPORTS, params);
      return rows.map(({ json }) => json);
    },
    publish: (notice) => notices.publish(notice),
    onNotice: heard.add,
    hintClaimable(destination) {
      if (replicaCount() > 1) notices.hintClaimable(destination);
    },
    onClaimableHint: claimable.add,
    async start() {
      sessions.listen({
        received: (payload) => notices.received(payload),
        listening: () => {
          rounds.soon();
          hintAll();
        },
      });
      await rounds.now();
    },
    close() {
      closing ??= Promise.race([
        leave(),
        new Promise<void>((resolve) => {
          setTimeout(resolve, LEAVE_TIMEOUT_MS).unref();
        }),
      ]);
      return closing;
    },
  };
}
