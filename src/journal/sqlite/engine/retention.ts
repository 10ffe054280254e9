import { statSync } from 'node:fs';
import { hitFailpoint } from '../../../telemetry/failpoints.ts';
import type { AnswerOf, RequestOf } from './calls.ts';
import { overdue } from './claim.ts';
import type { Engine } from './engine.ts';
import { identityKey } from './index-keys.ts';
import { removeMalformed } from './operator-changes.ts';
import { deletePayloads } from './payloads.ts';
import { deleteExpired } from './quarantine-table.ts';
import type { EventRow } from './rows.ts';

const MAX_RECORDS_PER_STEP = 300;
/** Free pages left in the file for new events, in addition to an eighth of its size. */
const SLACK_PAGES = 1_024;
/** Free pages that one step returns to the volume. */
const MAX_SHRINK_PAGES = 512;

/** The retention rule that applies to a row: a value of `events.retain_as`. */
type RetainAs = 'body' | 'record' | 'dead' | 'malformed';

function expiredRows({ db }: Engine, rule: RetainAs, age: number, now: number, limit: number): EventRow[] {
  return db.all(
    `SELECT * FROM events INDEXED BY events_retain WHERE retain_as = ? AND retain_from <= ?
     ORDER BY retain_from LIMIT ?`,
    rule,
    now - age,
    limit,
  ) as EventRow[];
}

function deleteRecord(engine: Engine, { seq, identity }: EventRow): void {
  engine.db.run('DELETE FROM events WHERE seq = ?', seq);
  if (identity !== null) engine.indexes.identities.delete(identityKey(identity), seq);
}

function readPragma({ db }: Engine, name: string): number {
  return Number((db.one(`PRAGMA ${name}`) as Record<string, number>)[name]);
}

/** Returns some of the free pages to the volume; true if more can be returned. */
function shrinkFile(engine: Engine): boolean {
  const surplusPages = (): number =>
    readPragma(engine, 'freelist_count') - SLACK_PAGES - Math.floor(readPragma(engine, 'page_count') / 8);
  const surplus = surplusPages();
  if (surplus <= 0) return false;
  engine.db.raw.exec(`PRAGMA incremental_vacuum(${Math.min(surplus, MAX_SHRINK_PAGES)})`);
  return surplusPages() > 0;
}

export function retain(engine: Engine, policy: RequestOf<'retain'>): AnswerOf<'retain'> {
  const now = engine.now();
  let left = MAX_RECORDS_PER_STEP;
  const applyRule = (rule: RetainAs, age: number, apply: (engine: Engine, row: EventRow) => void): void => {
    if (left === 0) return;
    const rows = expiredRows(engine, rule, age, now, left);
    for (const row of rows) {
      apply(engine, row);
      hitFailpoint('journal-retaining');
    }
    left -= rows.length;
  };
  applyRule('body', policy.delivered, (_, row) => deletePayloads(engine, row.seq));
  applyRule('record', policy.ids, deleteRecord);
  // Not before its identity may be forgotten, or a resend would be accepted as a new event.
  applyRule('dead', Math.max(policy.dead, policy.ids), deleteRecord);
  applyRule('malformed', policy.dead, removeMalformed);
  if (left > 0) left -= deleteExpired(engine, now, left);
  const canShrink = shrinkFile(engine);
  return { removed: MAX_RECORDS_PER_STEP - left, more: left === 0 || canShrink };
}

/** Rewrites the format version with its current value, which writes the unchanged header page. */
export function probe(engine: Engine): void {
  engine.db.raw.exec(`PRAGMA user_version = ${readPragma(engine, 'user_version')}`);
}

/** Sizes: the pages that are not free, and the free ones. The logs, which are bounded, are gauges. */
export function status(engine: Engine): AnswerOf<'status'> {
  const wal = statSync(`${engine.db.raw.location()}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  const free = readPragma(engine, 'freelist_count');
  const pageSize = readPragma(engine, 'page_size');
  return {
    usedBytes: (readPragma(engine, 'page_count') - free) * pageSize,
    freeInside: free * pageSize,
    ...(engine.failure === undefined ? {} : { failure: engine.failure }),
    overdue: overdue(engine),
    gauges: { walBytes: wal, intakeLogBytes: engine.log.bytes },
  };
}
