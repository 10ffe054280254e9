import type { StoredPrograms } from '../../journal.ts';
import type { RequestOf } from './calls.ts';
import type { Engine } from './engine.ts';

export function programs({ db }: Engine): readonly StoredPrograms[] {
  return db.all('SELECT org_id AS orgId, json FROM programs ORDER BY org_id') as StoredPrograms[];
}

export function savePrograms({ db }: Engine, changed: RequestOf<'savePrograms'>): void {
  for (const { orgId, json } of changed) {
    db.run('INSERT OR REPLACE INTO programs (org_id, json) VALUES (?, ?)', orgId, json);
  }
}
