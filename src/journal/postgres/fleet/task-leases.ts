import type { Sessions } from '../sessions/session.ts';
import { CREATE_TASKS, TAKE_TASKS, type TaskRow } from './fleet-statements.ts';
import type { FleetView } from './heartbeat.ts';
import type { TaskLease, Tasks } from './leases.ts';

/** The leases of the tasks; they are taken by whoever comes first. */
export interface TaskLeases extends Tasks {
  /** What a heartbeat has read. */
  apply(rows: readonly TaskRow[]): void;
  /** Takes the tasks that nobody has. */
  take(view: FleetView): Promise<void>;
}

export interface TaskLeasesParts {
  readonly sessions: Pick<Sessions, 'query'>;
  readonly replica: string;
  readonly isFresh: () => boolean;
  readonly leaseMs: number;
}

export function createTaskLeases(parts: TaskLeasesParts): TaskLeases {
  const { sessions, replica, isFresh, leaseMs } = parts;
  const epochs = new Map<string, number | undefined>();
  const listeners = new Map<string, Set<() => void>>();

  const set = (name: string, epoch: number | undefined): void => {
    if (epochs.get(name) === epoch) return;
    epochs.set(name, epoch);
    for (const listener of listeners.get(name) ?? []) listener();
  };

  return {
    lease(name): TaskLease {
      if (!epochs.has(name)) epochs.set(name, undefined);
      const own = listeners.get(name) ?? new Set();
      listeners.set(name, own);
      return {
        epoch: () => (isFresh() ? epochs.get(name) : undefined),
        onChange(listener) {
          own.add(listener);
          return () => own.delete(listener);
        },
      };
    },
    apply(rows) {
      for (const name of epochs.keys()) {
        set(name, rows.find((row) => row.name === name && row.owner === replica)?.epoch);
      }
    },
    async take({ tasks, others, mayTakeFromDead }) {
      const missing = [...epochs].filter(([, epoch]) => epoch === undefined).map(([name]) => name);
      const rows = new Map(tasks.map((row) => [row.name, row]));
      const unknown = missing.filter((name) => !rows.has(name));
      if (unknown.length > 0) await sessions.query('fleet', CREATE_TASKS, [unknown]);
      const isFree = (name: string): boolean => {
        const owner = rows.get(name)?.owner ?? null;
        return owner === null || (mayTakeFromDead && others.every(({ id }) => id !== owner));
      };
      const free = missing.filter(isFree);
      if (free.length === 0) return;
      const params = [replica, leaseMs, mayTakeFromDead, free];
      const taken = await sessions.query<TaskRow>('fleet', TAKE_TASKS, params);
      for (const { name, epoch } of taken) set(name, epoch);
    },
  };
}
