import type { DatabaseSync } from 'node:sqlite';
import { applyRecord } from '../engine/append.ts';
import { type IntakeRecord, recordsAfter } from '../engine/intake-records.ts';
import { closeEngine, openEngine } from '../engine/open-engine.ts';
import { SWEPT_BODIES } from '../engine/sweep-schema.ts';
import { type CopiedTable, tryRead } from './damaged-copy.ts';
import { contentsOf, type LogPosition } from './intake-log-state.ts';

/**
 * Records of events that the tables contained, but whose rows are lost. Retention removes rows as
 * well, so of the unknown receipts only as many are lost, the newest ones, as the account lacks.
 */
export function recordsOfLost(
  folder: string,
  at: LogPosition | undefined,
  {
    lost,
    gap,
    isKnown,
  }: {
    readonly lost: ReadonlySet<string>;
    readonly gap: number;
    readonly isKnown: (receipt: string) => boolean;
  },
): IntakeRecord[] {
  if (at?.seed === undefined || (lost.size === 0 && gap <= 0)) return [];
  const unknown = recordsAfter(contentsOf(folder), 0, at.seed)
    .records.filter(({ kind, number }) => kind === 'event' && number <= at.position)
    .filter((record) => !isKnown(receiptOf(record)));
  const newest = new Set(unknown.slice(Math.max(0, unknown.length - Math.max(0, gap))));
  return unknown.filter((record) => newest.has(record) || lost.has(receiptOf(record)));
}

/** SQL for events that should have a payload and have none; the parameter is that of retention. */
const WITHOUT_PAYLOAD = `SELECT seq, receipt, state = 'malformed' AS malformed FROM events
  WHERE kept = 1 AND seq NOT IN (SELECT seq FROM bodies)
    AND NOT (late = 0 AND state IN ('delivered', 'ignored') AND seq <= ?)`;

/** A malformed body that became an event can have been corrected: its record is outdated then. */
function wantedKey(kind: IntakeRecord['kind'], receipt: string): string {
  return `${kind} ${receipt}`;
}

/** Where this cannot be read, no payload of a settled event is expected. */
function sweptBodiesOf(from: DatabaseSync): number {
  const row = tryRead(() => from.prepare(`SELECT ${SWEPT_BODIES} AS seq`).get());
  return Number(row?.['seq'] ?? Number.MAX_SAFE_INTEGER);
}

/** The account of a table after some of its rows were found elsewhere. */
export function withRestored(table: CopiedTable, restored: number): CopiedTable {
  return {
    ...table,
    copied: table.copied + restored,
    unreadable: Math.max(0, table.unreadable - restored),
  };
}

/**
 * Adds the payloads that are lost or damaged in the tables, and that the intake log still has.
 * @returns how many were added
 */
export function restorePayloads(
  folder: string,
  at: LogPosition | undefined,
  { from, to }: { readonly from: DatabaseSync; readonly to: DatabaseSync },
): number {
  const rows = at?.seed === undefined ? [] : to.prepare(WITHOUT_PAYLOAD).all(sweptBodiesOf(from));
  if (at?.seed === undefined || rows.length === 0) return 0;
  const wanted = new Map(
    rows.map(({ seq, receipt, malformed }) => [
      wantedKey(malformed === 1 ? 'malformed' : 'event', String(receipt)),
      Number(seq),
    ]),
  );
  const insert = to.prepare('INSERT OR IGNORE INTO bodies (seq, body) VALUES (?, ?)');
  let restored = 0;
  for (const record of recordsAfter(contentsOf(folder), 0, at.seed).records) {
    const seq = wanted.get(wantedKey(record.kind, receiptOf(record)));
    if (seq !== undefined) restored += Number(insert.run(seq, record.payload).changes);
  }
  return restored;
}

function receiptOf({ head }: IntakeRecord): string {
  const { receipt } = JSON.parse(Buffer.from(head).toString('utf8')) as { receipt?: string };
  return receipt ?? '';
}

/**
 * Adds to a salvaged store what only the intake log of the old one holds. Events become pending.
 * @returns how many records were added
 */
export function applyToSalvaged(folder: string, records: readonly IntakeRecord[]): number {
  if (records.length === 0) return 0;
  const engine = openEngine({ path: folder, keys: [] });
  let applied = 0;
  try {
    engine.tables.begin();
    for (const record of records) {
      const isKnown =
        record.kind !== 'differingCopy' &&
        engine.db.one(
          'SELECT 1 FROM events WHERE receipt = ?1 UNION ALL SELECT 1 FROM quarantine WHERE receipt = ?1',
          receiptOf(record),
        ) !== undefined;
      if (isKnown) continue;
      engine.db.step(() => applyRecord(engine, record));
      applied += 1;
    }
    engine.accounts.counts.commitBatch();
    engine.accounts.backlog.commitBatch();
    engine.indexes.identities.commit();
    engine.indexes.queues.commit();
  } finally {
    closeEngine(engine);
  }
  return applied;
}
