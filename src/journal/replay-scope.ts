import type { EventFilter, HiddenFilterField, ReplayJob, ReplayRequest } from './event-log.ts';
import type { EventState } from './stored-event.ts';

/* How a replay job is stored: what of its filter may be shown, and the whole of it, encrypted. */

/** Number of finished jobs that remain visible to operators. */
export const MAX_FINISHED_JOBS = 100;

/** The states from which an event can be replayed. */
export const REPLAYED_STATES: readonly EventState[] = ['dead', 'ignored', 'delivered'];

export type ShownFilter = Pick<ReplayJob, 'filter' | 'narrowedBy'>;

const HIDDEN_FIELDS: readonly HiddenFilterField[] = ['receipts', 'eventId', 'customerId'];

export function withoutHiddenFields(full: EventFilter): ShownFilter {
  const { receipts: _receipts, eventId: _eventId, customerId: _customerId, ...filter } = full;
  return { filter, narrowedBy: HIDDEN_FIELDS.filter((field) => full[field] !== undefined) };
}

/** What a job replays, and where to. */
export interface JobScope {
  readonly filter: EventFilter;
  readonly routes: Readonly<Record<string, string>>;
  /** What was fetched for the events is to be fetched again. */
  readonly refetch?: boolean;
}

/** What is to be encrypted and stored. */
export function scopeToStore({ filter, routes = {}, refetch }: ReplayRequest): Buffer {
  const scope: JobScope = { filter, routes, ...(refetch === true ? { refetch } : {}) };
  return Buffer.from(JSON.stringify(scope), 'utf8');
}

/** An earlier version stored the filter alone. */
export function scopeOf(plain: Buffer): JobScope {
  const stored = JSON.parse(plain.toString('utf8')) as JobScope | EventFilter;
  return 'routes' in stored ? stored : { filter: stored, routes: {} };
}

/** The columns of a job that every engine has. */
export interface ReplayJobColumns {
  readonly id: number;
  readonly at: number;
  readonly by: string;
  /** JSON of the parts of the filter that may be shown. */
  readonly shown: string;
  readonly matched: number;
  readonly replayed: number;
  readonly finished_at: number | null;
}

export function toReplayJob(row: ReplayJobColumns, asNew: boolean): ReplayJob {
  return {
    id: row.id,
    by: row.by,
    at: row.at,
    asNew,
    ...(JSON.parse(row.shown) as ShownFilter),
    matched: row.matched,
    replayed: row.replayed,
    done: row.finished_at !== null,
    ...(row.finished_at === null ? {} : { finishedAt: row.finished_at }),
  };
}
