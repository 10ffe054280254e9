import type { ReplicaReport } from '../../fleet.ts';
import type { Sessions } from '../sessions/session.ts';
import type { DatabaseClock } from './database-clock.ts';
import {
  HEARTBEAT,
  type HeartbeatRow,
  type OtherReplica,
  type OwnedSlots,
  type TaskRow,
} from './fleet-statements.ts';
import type { FleetClocks, FleetTiming } from './fleet-timing.ts';

/** This process, as the others see it. */
export interface Self {
  /** A UUID. */
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** Epoch ms of its start. */
  readonly since: number;
}

/** What a heartbeat has read. */
export interface FleetView {
  /** The other replicas that are alive. */
  readonly others: readonly OtherReplica[];
  readonly slots: readonly OwnedSlots[];
  readonly tasks: readonly TaskRow[];
  /** The server was restarted, or another one has taken over. */
  readonly isServerChanged: boolean;
  /** Whether a silent replica counts as dead: not just after an outage, when all were silent. */
  readonly mayTakeFromDead: boolean;
}

export interface Heartbeat {
  /**
   * Whether nobody can have taken what is ours: the last heartbeat that succeeded is recent by both
   * clocks of this machine. One of them stands still while a virtual machine does, the other one
   * can be set.
   */
  isFresh(): boolean;
  /** One heartbeat. The lease is fresh again only after `apply` has seen what was read. */
  beat(apply: (view: FleetView) => void): Promise<FleetView>;
  /** The lease is not trusted any more, because it is about to be given back. */
  end(): void;
  /** ms since the last one that succeeded was sent. */
  age(): number;
}

export interface HeartbeatParts {
  readonly sessions: Pick<Sessions, 'query'>;
  readonly self: Self;
  readonly destinations: () => readonly string[];
  readonly report: () => ReplicaReport;
  readonly clock: DatabaseClock;
  readonly clocks: FleetClocks;
  readonly timing: FleetTiming;
}

export function createHeartbeat(parts: HeartbeatParts): Heartbeat {
  const { sessions, self, clocks, timing } = parts;
  /** When the last one that succeeded was sent. */
  let last: { readonly monotonic: number; readonly wall: number } | undefined;
  let hasEnded = false;
  let server: string | undefined;
  /** Since then all have succeeded in time, in monotonic ms. */
  let steadySince = Number.POSITIVE_INFINITY;

  const age = (): number =>
    last === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(clocks.monotonic() - last.monotonic, clocks.wall() - last.wall);
  const isFresh = (): boolean => age() < timing.lease - timing.margin;

  const ask = async (): Promise<{ row: HeartbeatRow; sent: NonNullable<typeof last> }> => {
    const sent = { monotonic: clocks.monotonic(), wall: clocks.wall() };
    const { id, name, version, since } = self;
    const report = JSON.stringify(parts.report());
    const params = [id, timing.lease, name, version, since, parts.destinations(), report];
    const [row] = await sessions.query<HeartbeatRow>('fleet', HEARTBEAT, params);
    if (row === undefined) throw new Error('a heartbeat was not answered');
    parts.clock.observe(sent.monotonic, clocks.monotonic(), row.now);
    return { row, sent };
  };

  return {
    isFresh,
    age,
    async beat(apply) {
      const wasFresh = isFresh();
      const isFirst = server === undefined;
      let answer = await ask();
      // Somebody may have taken what is ours at the same moment. The second one sees it.
      if (!wasFresh && !isFirst) answer = await ask();
      const { row, sent } = answer;
      const now = clocks.monotonic();
      const isServerChanged = !isFirst && row.server !== server;
      if (isFirst && row.uptime > timing.lease + timing.grace) steadySince = Number.NEGATIVE_INFINITY;
      else if (isFirst || isServerChanged || !wasFresh) steadySince = now;
      server = row.server;
      const view: FleetView = {
        others: JSON.parse(row.others) as readonly OtherReplica[],
        slots: JSON.parse(row.slots) as readonly OwnedSlots[],
        tasks: JSON.parse(row.tasks) as readonly TaskRow[],
        isServerChanged,
        mayTakeFromDead: now - steadySince >= timing.grace,
      };
      apply(view);
      if (!hasEnded) last = sent;
      return view;
    },
    end() {
      hasEnded = true;
      last = undefined;
    },
  };
}
