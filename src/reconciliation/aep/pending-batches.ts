import type { Landings } from '../../journal/landings.ts';

/** A batch that Adobe has reported and nobody has read yet. */
export interface PendingBatch {
  readonly batchId: string;
  readonly datasetId: string;
  /** Such as `ing_load_failure`. */
  readonly code: string;
}

/** Batches that Adobe has reported to any replica, until the leader has read them. */
export interface PendingBatches {
  /** One that is there already is not stored twice. */
  add(batches: readonly PendingBatch[]): Promise<void>;
  list(): Promise<readonly PendingBatch[]>;
  remove(batchId: string): Promise<void>;
}

/** Beyond them the regular check finds the batches, only later. */
const MAX_PENDING = 1_000;

export function createPendingBatches(
  journal: Pick<Landings, 'reconciliationNotes' | 'saveReconciliationNotes'>,
  destination: string,
): PendingBatches {
  const scope = `aep:${destination}:pending`;
  return {
    async add(batches) {
      const known = await journal.reconciliationNotes(scope);
      const fresh = batches
        .filter(({ batchId }) => !known.has(batchId))
        .slice(0, Math.max(0, MAX_PENDING - known.size));
      if (fresh.length === 0) return;
      const notes = fresh.map(({ batchId, ...rest }) => [batchId, JSON.stringify(rest)] as const);
      await journal.saveReconciliationNotes(scope, Object.fromEntries(notes));
    },
    async list() {
      const notes = await journal.reconciliationNotes(scope);
      return [...notes].map(([batchId, json]) => ({
        batchId,
        ...(JSON.parse(json) as Omit<PendingBatch, 'batchId'>),
      }));
    },
    remove: (batchId) => journal.saveReconciliationNotes(scope, { [batchId]: null }),
  };
}
