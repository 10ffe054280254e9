import { hitFailpoint } from '../../telemetry/failpoints.ts';
import { dropPayloads } from './bodies.ts';
import { removeMalformed } from './discard.ts';
import type { Engine } from './engine.ts';
import { identityKey } from './index-keys.ts';
import type { AnswerOf, RequestOf } from './protocol.ts';
import { dropExpired } from './quarantine.ts';
import type { EventRow } from './rows.ts';

/** Records a step touches. */
const STEP = 300;
/** Free pages left in the file for what comes next: the file shrinks only by more than this and an eighth of itself. */
const SLACK_PAGES = 1_024;
const SHRINK_PAGES = 512;

/** What a row is under, as `events.retain_as` says it. */
type RetainAs = 'body' | 'record' | 'dead' | 'malformed';

function overAge({ db }: Engine, as: RetainAs, age: number, now: number, limit: number): EventRow[] {
  return db.all(
    'SELECT * FROM events INDEXED BY events_retain WHERE retain_as = ? AND retain_from <= ? ORDER BY retain_from LIMIT ?',
    as,
    now - age,
    limit,
  ) as EventRow[];
}

function remove(engine: Engine, { seq, identity }: EventRow): void {
  engine.db.run('DELETE FROM events WHERE seq = ?', seq);
  if (identity !== null) engine.indexes.identities.delete(identityKey(identity), seq);
}

function pages({ db }: Engine, what: 'page_count' | 'freelist_count'): number {
  return Number((db.one(`PRAGMA ${what}`) as Record<string, number>)[what]);
}

/** Gives some of the free pages back to the volume; true when there are more to give. */
function shrink(engine: Engine): boolean {
  const surplus = (): number =>
    pages(engine, 'freelist_count') - SLACK_PAGES - Math.floor(pages(engine, 'page_count') / 8);
  const over = surplus();
  if (over <= 0) return false;
  engine.db.raw.exec(`PRAGMA incremental_vacuum(${Math.min(over, SHRINK_PAGES)})`);
  return surplus() > 0;
}

export function retain(engine: Engine, { policy, now }: RequestOf<'retain'>): AnswerOf<'retain'> {
  let left = STEP;
  const each = (as: RetainAs, age: number, apply: (engine: Engine, row: EventRow) => void): void => {
    if (left === 0) return;
    const rows = overAge(engine, as, age, now, left);
    for (const row of rows) {
      apply(engine, row);
      hitFailpoint('journal-retaining');
    }
    left -= rows.length;
  };
  each('body', policy.delivered, (_, row) => dropPayloads(engine, row.seq));
  each('record', policy.ids, remove);
  // Never before its identity may be forgotten, or a resend of it would be taken for new.
  each('dead', Math.max(policy.dead, policy.ids), remove);
  each('malformed', policy.dead, removeMalformed);
  if (left > 0) left -= dropExpired(engine, now, left);
  const shrinking = shrink(engine);
  return { removed: STEP - left, more: left === 0 || shrinking };
}
