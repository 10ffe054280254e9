import { StoreError } from '../journal.ts';
import {
  type CopiedRow,
  type CopyProgress,
  type CopySource,
  type CopyTarget,
  SIDE_TABLE_NAMES,
  SIDE_TABLES,
  type SideTable,
  type StoreAccount,
} from './copied-rows.ts';

export interface CopyReport {
  /** Whether an earlier copy was continued. */
  readonly continued: boolean;
  readonly events: number;
  /** What the source accounts for, and now the target too. */
  readonly account: StoreAccount;
}

/** Called after each step. */
export type OnStep = (progress: CopyProgress) => void;

const STEPS: readonly CopyProgress['step'][] = ['events', ...SIDE_TABLE_NAMES, 'counts', 'compare'];

function stepAfter(step: CopyProgress['step']): CopyProgress['step'] {
  return STEPS[STEPS.indexOf(step) + 1] ?? 'compare';
}

function keyOf(table: SideTable, row: CopiedRow): (string | number)[] {
  return SIDE_TABLES[table].key.map((column) => row[column] as string | number);
}

/** Each number of an account under a name for people, without zeros. */
function numbersOf({ ledger, backlog, rows }: StoreAccount): Map<string, number> {
  const all: [string, number][] = Object.entries(rows).map(([name, count]) => [`rows of ${name}`, count]);
  for (const [name, counts] of Object.entries(ledger))
    for (const [state, count] of Object.entries(counts)) all.push([`source ${name}: ${state}`, count]);
  for (const [name, counts] of Object.entries(backlog))
    for (const [state, count] of Object.entries(counts)) all.push([`destination ${name}: ${state}`, count]);
  return new Map(all.filter(([, count]) => count !== 0));
}

/** The differences between two accounts, in sentences. */
export function differences(source: StoreAccount, target: StoreAccount): string[] {
  const [before, after] = [numbersOf(source), numbersOf(target)];
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => (before.get(name) ?? 0) !== (after.get(name) ?? 0))
    .map((name) => `${name}: ${before.get(name) ?? 0} in the source, ${after.get(name) ?? 0} in the copy`);
}

/**
 * Copies a store into an empty one in steps, each of which is a transaction of the target with the
 * progress in it. So whoever starts it again continues where it was, and nothing is copied twice.
 * @throws StoreError if the source is not what it was when the copy began, or the copy differs
 */
export async function copyStore(source: CopySource, target: CopyTarget, onStep: OnStep): Promise<CopyReport> {
  const fingerprint = await source.fingerprint();
  let progress = await target.begin(fingerprint);
  const continued = progress.step !== 'events' || progress.after.length > 0;
  const advance = (next: Partial<CopyProgress>): CopyProgress => (progress = { ...progress, ...next });
  const leaveStep = (): CopyProgress => advance({ step: stepAfter(progress.step), after: [] });

  while (progress.step === 'events') {
    const events = await source.events(Number(progress.after[0] ?? 0));
    const last = events.at(-1);
    if (last === undefined) leaveStep();
    else
      await target.writeEvents(
        events,
        advance({ after: [last.seq], events: progress.events + events.length }),
      );
    onStep(progress);
  }
  while (progress.step in SIDE_TABLES) {
    const table = progress.step as SideTable;
    const rows = await source.rows(table, progress.after);
    const last = rows.at(-1);
    if (last === undefined) leaveStep();
    else await target.writeRows(table, rows, advance({ after: keyOf(table, last) }));
    onStep(progress);
  }
  const account = await source.account();
  if (progress.step === 'counts') await target.writeCounts(account, leaveStep());
  if ((await source.fingerprint()) !== fingerprint)
    throw new StoreError(`a relay has worked on ${source.name} while it was copied`, {
      fix: 'stop it, remove the copy, and copy again',
    });
  const found = differences(account, await target.account());
  if (found.length > 0)
    throw new StoreError(`the copy differs from ${source.name}:\n  ${found.join('\n  ')}`, {
      fix: 'remove the copy and copy again; if it differs again, verify the source',
    });
  if (progress.step !== 'done') await target.finish();
  return { continued, events: progress.events, account };
}
