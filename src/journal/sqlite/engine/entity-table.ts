import type { StoredEnrichment } from '../../journal.ts';
import { IS_RESTART, REFETCHED_AT } from '../../operator-actions.ts';
import type { AnswerOf, RequestOf } from './calls.ts';
import { readStored } from './payloads.ts';
import type { Engine } from './sqlite-engine.ts';

export function writeEntities({ db, cipher }: Engine, seq: number, entities: string): void {
  db.run(
    'INSERT OR REPLACE INTO entities (seq, json) VALUES (?, ?)',
    seq,
    cipher.encrypt(Buffer.from(entities, 'utf8')),
  );
}

/** Undefined also if they cannot be read, which is reported: they can be fetched again. */
function readEntities(engine: Engine, seq: number, receipt: string): string | undefined {
  const entities = readStored(engine, 'SELECT json AS payload FROM entities WHERE seq = ?', seq);
  if (typeof entities !== 'string') return entities?.toString('utf8');
  engine.reportUnreadable('what was fetched for an event', entities, receipt);
  return undefined;
}

/** An event; the columns of its refresh are null unless it is pending because of one. */
interface EnrichedRow {
  readonly seq: number;
  readonly customer: number | null;
  readonly bill: number | null;
  readonly attempts: number | null;
  readonly stale_before: number | null;
}

function enrichmentOf(engine: Engine, receipt: string): StoredEnrichment | undefined {
  const row = engine.db.one(
    `SELECT e.seq, r.customer, r.bill, r.attempts,
       CASE WHEN e.state = 'pending' AND e.replay = 1 THEN (SELECT ${REFETCHED_AT} FROM actions
         WHERE seq = e.seq AND ${IS_RESTART} ORDER BY id DESC LIMIT 1) END AS stale_before
     FROM events e LEFT JOIN refreshes r ON r.seq = e.seq AND r.running = 1 WHERE e.receipt = ?`,
    receipt,
  ) as EnrichedRow | undefined;
  if (row === undefined) return undefined;
  const entities = readEntities(engine, row.seq, receipt);
  const { attempts, stale_before: staleBefore } = row;
  if (entities === undefined && attempts === null) return undefined;
  return {
    ...(entities === undefined ? {} : { entities }),
    ...(entities === undefined || staleBefore === null ? {} : { staleBefore }),
    ...(attempts === null
      ? {}
      : { refresh: { customer: row.customer === 1, bill: row.bill === 1, attempts } }),
  };
}

export function enrichments(engine: Engine, receipts: RequestOf<'enrichments'>): AnswerOf<'enrichments'> {
  const found = new Map<string, StoredEnrichment>();
  for (const receipt of receipts) {
    const enrichment = enrichmentOf(engine, receipt);
    if (enrichment !== undefined) found.set(receipt, enrichment);
  }
  return found;
}
