import { applyRecord } from '../engine/append.ts';
import { type IntakeRecord, recordsAfter } from '../engine/intake-records.ts';
import { closeEngine, openEngine } from '../engine/open-engine.ts';
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
