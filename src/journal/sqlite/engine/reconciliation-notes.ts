import type { RequestOf } from './calls.ts';
import type { Engine } from './sqlite-engine.ts';

export function reconciliationNotes(
  { db }: Engine,
  scope: RequestOf<'reconciliationNotes'>,
): ReadonlyMap<string, string> {
  const rows = db.all('SELECT key, json FROM reconciliation_notes WHERE scope = ? ORDER BY key', scope) as {
    key: string;
    json: string;
  }[];
  return new Map(rows.map(({ key, json }) => [key, json]));
}

export function saveReconciliationNotes(
  { db, tables }: Engine,
  { scope, notes }: RequestOf<'saveReconciliationNotes'>,
): void {
  for (const [key, json] of Object.entries(notes)) {
    if (json === null) db.run('DELETE FROM reconciliation_notes WHERE scope = ? AND key = ?', scope, key);
    else db.run('INSERT OR REPLACE INTO reconciliation_notes VALUES (?, ?, ?)', scope, key, json);
    tables.noteChange(json?.length ?? 0);
  }
}
