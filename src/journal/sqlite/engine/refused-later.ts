import { type RefusedRecord, RefusedError } from '../../journal.ts';
import { REFUSED_LATER } from '../../event-reasons.ts';
import { bitsOf } from '../../message-kinds.ts';
import { MAX_DETAIL_LENGTH } from '../../sent-in.ts';
import type { AnswerOf, RequestOf } from './calls.ts';
import { addCounts } from './counts.ts';
import { addLanding, leaveSettled } from './landing-counts.ts';
import { insertSentMessages } from './payloads.ts';
import { endRefresh } from './refresh-table.ts';
import { type EventRow, rowOfReceipt } from './rows.ts';
import type { Engine } from './sqlite-engine.ts';
import { hasBody } from './sweeps.ts';

/** Undefined if the record is not what was delivered last. */
function refusedRow(engine: Engine, destination: string, record: RefusedRecord): EventRow | undefined {
  const row = rowOfReceipt(engine, record.receipt);
  if (row?.state !== 'delivered' || row.destination !== destination) return undefined;
  return row.id_suffix === record.idSuffix && (row.settled_at ?? 0) <= record.refusedAt ? row : undefined;
}

function refuseOne(engine: Engine, row: EventRow, { kind, detail, json }: RefusedRecord): void {
  leaveSettled(engine, row);
  endRefresh(engine, row.seq);
  // From now on a swept body does not follow from the state.
  engine.db.run(
    `UPDATE events SET state = 'dead', reason = '${REFUSED_LATER}', detail = ?, settled_at = ?,
       delivered = delivered & ~?, kept = ? WHERE seq = ?`,
    detail.slice(0, MAX_DETAIL_LENGTH),
    engine.now(),
    bitsOf([kind]),
    hasBody(engine, row) ? 1 : 0,
    row.seq,
  );
  if (json !== undefined) insertSentMessages(engine, row.seq, [{ kind, json }]);
  addCounts(engine, row.source, { delivered: -1, dead: 1 });
  addLanding(engine, row.source, { refusedLater: 1 });
}

/** The other record of an event that is a dead letter by its first one. */
function refuseOther(engine: Engine, destination: string, record: RefusedRecord): void {
  const row = rowOfReceipt(engine, record.receipt);
  if (row?.state !== 'dead' || row.reason !== REFUSED_LATER || row.destination !== destination) return;
  const bits = bitsOf([record.kind]);
  if (row.id_suffix !== record.idSuffix || (row.delivered & bits) === 0) return;
  engine.db.run('UPDATE events SET delivered = delivered & ~? WHERE seq = ?', bits, row.seq);
  if (record.json !== undefined)
    insertSentMessages(engine, row.seq, [{ kind: record.kind, json: record.json }]);
}

export function refuse(engine: Engine, { destination, records }: RequestOf<'refuse'>): AnswerOf<'refuse'> {
  const kinds: readonly unknown[] = ['event', 'profile'];
  if (!records.every(({ kind }) => kinds.includes(kind)))
    throw new RefusedError('a refused record must be an event or a profile');
  const refused: string[] = [];
  for (const record of records) {
    const row = refusedRow(engine, destination, record);
    if (row === undefined) {
      refuseOther(engine, destination, record);
      continue;
    }
    refuseOne(engine, row, record);
    refused.push(record.receipt);
  }
  return { refused };
}
