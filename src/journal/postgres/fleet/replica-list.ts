import type { ReplicaReport, ReplicaStatus } from '../../fleet.ts';
import type { FleetView, Self } from './heartbeat.ts';

export interface ReplicaListParts {
  readonly self: Self;
  readonly report: ReplicaReport;
  /** What this process owns now, by destination. */
  readonly ownSlots: Readonly<Record<string, number>>;
  readonly isLeader: boolean;
  readonly view: FleetView;
  /** ms since the view was read. */
  readonly age: number;
  /** The task whose owner is the leader. */
  readonly leaderTask: string;
}

/** The replicas that are alive, in the order of their start, as the last heartbeat saw them. */
export function replicaList(parts: ReplicaListParts): ReplicaStatus[] {
  const { self, view, age, leaderTask } = parts;
  const leader = view.tasks.find(({ name }) => name === leaderTask)?.owner;
  const slotsOf = (id: string): Record<string, number> =>
    Object.fromEntries(
      view.slots.filter(({ owner }) => owner === id).map(({ destination, count }) => [destination, count]),
    );
  const { report, ownSlots, isLeader } = parts;
  const others = view.others.map(({ destinations: _joined, ...other }) => ({
    ...other,
    silentFor: other.silentFor + age,
    isSelf: false,
    isLeader: other.id === leader,
    slots: slotsOf(other.id),
  }));
  return [{ ...self, silentFor: age, isSelf: true, isLeader, slots: ownSlots, report }, ...others].toSorted(
    (a, b) => a.since - b.since || (a.id < b.id ? -1 : 1),
  );
}
