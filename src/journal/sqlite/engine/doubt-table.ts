import { RefusedError } from '../../journal.ts';
import type { AnswerOf, RequestOf } from './calls.ts';
import { countDoubt } from './landing-counts.ts';
import { rowOfReceipt, rowOfSeq } from './rows.ts';
import type { Engine } from './sqlite-engine.ts';

export function doubt(engine: Engine, { destination, doubts: all }: RequestOf<'doubt'>): AnswerOf<'doubt'> {
  const { db, landings } = engine;
  let doubted = 0;
  for (const { receipt, code, detail } of all) {
    const row = rowOfReceipt(engine, receipt);
    if (row?.state !== 'delivered' || row.destination !== destination) continue;
    const isNew = db.one('SELECT 1 FROM doubts WHERE seq = ?', row.seq) === undefined;
    db.run(
      'INSERT OR REPLACE INTO doubts (seq, destination, code, detail, at) VALUES (?, ?, ?, ?, ?)',
      row.seq,
      destination,
      code,
      detail,
      engine.now(),
    );
    landings.isAnyDoubt = true;
    if (isNew) countDoubt(engine, row, 1);
    doubted += 1;
  }
  return { doubted };
}

export function clearDoubts(engine: Engine, receipts: RequestOf<'clearDoubts'>): void {
  for (const receipt of receipts) {
    const ended = engine.db.one(
      'DELETE FROM doubts WHERE seq = (SELECT seq FROM events WHERE receipt = ?) RETURNING seq',
      receipt,
    ) as { seq: number } | undefined;
    const row = ended && rowOfSeq(engine, ended.seq);
    if (row !== undefined) countDoubt(engine, row, -1);
  }
}

interface DoubtRow {
  readonly receipt: string;
  readonly code: string;
  readonly detail: string;
  readonly source: string;
  readonly event_name: string;
  readonly event_id: string | null;
  readonly at: number;
}

export function doubts({ db }: Engine, { destination, limit }: RequestOf<'doubts'>): AnswerOf<'doubts'> {
  if (!(limit >= 1 && limit <= 500)) throw new RefusedError('a limit must be from 1 to 500');
  const counted = db.all(
    'SELECT code, count(*) AS count FROM doubts WHERE destination = ? GROUP BY code ORDER BY code',
    destination,
  ) as { readonly code: string; readonly count: number }[];
  const rows = db.all(
    `SELECT e.receipt, d.code, d.detail, e.source, e.event_name, e.event_id, d.at
     FROM doubts d INDEXED BY doubts_newest JOIN events e USING (seq)
     WHERE d.destination = ? ORDER BY d.at DESC, d.seq DESC LIMIT +?`,
    destination,
    Math.trunc(limit),
  ) as DoubtRow[];
  const newest = rows.map(({ event_name: eventName, event_id: eventId, ...row }) => ({
    ...row,
    destination,
    eventName,
    ...(eventId === null ? {} : { eventId }),
  }));
  return { counts: Object.fromEntries(counted.map(({ code, count }) => [code, count])), newest };
}
