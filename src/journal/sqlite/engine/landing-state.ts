import type { Database } from './database.ts';
import { SpanTable } from './span-table.ts';

/** A row of `confirmed`; `until` is exclusive. */
export interface ConfirmedRange {
  readonly from: number;
  readonly until: number;
  /** Epoch ms since when everything delivered within it has been in the data lake. */
  readonly since: number;
}

/** What settlements ask about landings, in memory. */
export interface LandingState {
  readonly spans: SpanTable;
  /** False while there is no doubt at all: then no event that leaves `delivered` looks for one. */
  isAnyDoubt: boolean;
  /** The same for watched events. */
  isAnyWatched: boolean;
  /** The confirmed ranges of a destination in order. */
  confirmed(destination: string): readonly ConfirmedRange[];
  /** See `spans-since` in landing-schema.ts. */
  spansSince(): number;
  /** From then on deliveries to the destination are not confirmed, and counted in spans. */
  openSince(destination: string): number;
  /** After a change or a rollback: ranges and marks are read again when they are next needed. */
  refresh(): void;
}

export function openLandings(db: Database): LandingState {
  const ranges = new Map<string, readonly ConfirmedRange[]>();
  const openSince = new Map<string, number>();
  let since: number | undefined;
  const readRanges = (destination: string): readonly ConfirmedRange[] =>
    db.all(
      `SELECT from_at AS "from", until_at AS until, since FROM confirmed WHERE destination = ?
       ORDER BY from_at`,
      destination,
    ) as ConfirmedRange[];
  const confirmed = (destination: string): readonly ConfirmedRange[] => {
    const known = ranges.get(destination);
    if (known !== undefined) return known;
    const read = readRanges(destination);
    ranges.set(destination, read);
    return read;
  };
  const spansSince = (): number => {
    since ??= markOf(db, 'spans-since') ?? 0;
    return since;
  };
  return {
    spans: new SpanTable(),
    ...flagsOf(db),
    confirmed,
    spansSince,
    openSince(destination) {
      const known = openSince.get(destination);
      if (known !== undefined) return known;
      const at = Math.max(spansSince(), confirmed(destination).at(-1)?.until ?? 0);
      openSince.set(destination, at);
      return at;
    },
    refresh() {
      ranges.clear();
      openSince.clear();
      since = undefined;
    },
  };
}

function flagsOf(db: Database): Pick<LandingState, 'isAnyDoubt' | 'isAnyWatched'> {
  return {
    isAnyDoubt: db.one('SELECT 1 FROM doubts LIMIT 1') !== undefined,
    isAnyWatched: db.one('SELECT 1 FROM watched LIMIT 1') !== undefined,
  };
}

/** Reads everything again, in place of what is in memory. */
export function reloadLandings(state: LandingState, db: Database): void {
  state.spans.forget();
  state.refresh();
  Object.assign(state, flagsOf(db));
}

export function markOf(db: Database, name: 'spans-since' | 'known-since'): number | undefined {
  return (db.one('SELECT at FROM marks WHERE name = ?', name) as { at: number } | undefined)?.at;
}

/** Sets a mark, unless it has a later time. */
export function raiseMark(db: Database, name: 'spans-since' | 'known-since', at: number): void {
  db.run(
    'INSERT INTO marks (name, at) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at = max(at, excluded.at)',
    name,
    at,
  );
}

/**
 * What was delivered before a store had spans is never confirmed: it is not counted in any. Nor
 * does such a store know what it has forgotten: at most everything until now.
 */
export function setFirstMarks(db: Database, now: number): void {
  if (markOf(db, 'spans-since') !== undefined) return;
  const isAnyDelivered = db.one('SELECT 1 FROM counts WHERE delivered > 0') !== undefined;
  const { isForgetful } = db.one(
    `SELECT coalesce(sum(accepted + malformed), 0) > (SELECT count(*) FROM events) AS isForgetful FROM counts`,
  ) as { isForgetful: number };
  if (isForgetful === 1) raiseMark(db, 'known-since', now + 1);
  raiseMark(db, 'spans-since', isAnyDelivered ? now + 1 : 0);
}
