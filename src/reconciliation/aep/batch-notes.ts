import type { Landings } from '../../journal/landings.ts';
import type { RecordTally } from './record-refusals.ts';

/** What is remembered about a failed batch. Times are epoch ms. */
export interface BatchNote {
  readonly datasetId: string;
  /** By Adobe's clock. */
  readonly createdAt: number;
  /** Every record has been judged; absent while something is left to read. */
  readonly doneAt?: number;
  /** Attempts to read it that failed. */
  readonly attempts: number;
  readonly tally: RecordTally;
  /** Adobe's codes, such as `DCVS-1104-400`. */
  readonly codes: readonly string[];
}

/** How far the files of a batch have been read. */
export interface BatchProgress {
  readonly file: string;
  /** Records of this file that have been judged. */
  readonly records: number;
  /** Of these and of the files before. */
  readonly tally: RecordTally;
}

/** What the check of failed batches remembers, as it is in the journal. */
export interface BatchNotes {
  readonly batches: ReadonlyMap<string, BatchNote>;
  readonly progress: ReadonlyMap<string, BatchProgress>;
  /** By dataset: batches that were created until then, by Adobe's clock, have been listed. */
  readonly marks: ReadonlyMap<string, number>;
}

export interface BatchNoteStore {
  load(): Promise<BatchNotes>;
  saveProgress(batchId: string, progress: BatchProgress): Promise<void>;
  /** Replaces what is known of a batch. Unless it is to go on there, its progress is forgotten. */
  saveBatch(batchId: string, note: BatchNote, goesOn?: boolean): Promise<void>;
  /** Moves the mark of a dataset, and forgets these batches. */
  saveMark(datasetId: string, until: number, forget: readonly string[]): Promise<void>;
}

type NoteJournal = Pick<Landings, 'reconciliationNotes' | 'saveReconciliationNotes'>;

const BATCH = 'batch:';
const PROGRESS = 'progress:';
const MARK = 'mark:';

function withPrefix<T>(notes: ReadonlyMap<string, string>, prefix: string): Map<string, T> {
  const found = [...notes].filter(([key]) => key.startsWith(prefix));
  return new Map(found.map(([key, json]) => [key.slice(prefix.length), JSON.parse(json) as T]));
}

/** The notes of one destination. */
export function createBatchNotes(journal: NoteJournal, destination: string): BatchNoteStore {
  const scope = `aep:${destination}:batches`;
  const save = (notes: Readonly<Record<string, string | null>>) =>
    journal.saveReconciliationNotes(scope, notes);
  return {
    async load() {
      const notes = await journal.reconciliationNotes(scope);
      return {
        batches: withPrefix<BatchNote>(notes, BATCH),
        progress: withPrefix<BatchProgress>(notes, PROGRESS),
        marks: withPrefix<number>(notes, MARK),
      };
    },
    saveProgress: (batchId, progress) => save({ [PROGRESS + batchId]: JSON.stringify(progress) }),
    saveBatch: (batchId, note, goesOn = false) =>
      save({ [BATCH + batchId]: JSON.stringify(note), ...(goesOn ? {} : { [PROGRESS + batchId]: null }) }),
    saveMark: (datasetId, until, forget) =>
      save({
        ...Object.fromEntries(forget.map((id) => [BATCH + id, null])),
        [MARK + datasetId]: JSON.stringify(until),
      }),
  };
}
