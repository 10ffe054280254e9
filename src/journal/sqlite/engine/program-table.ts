import type { StoredPrograms } from '../../journal.ts';
import type { RequestOf } from './calls.ts';
import type { Engine } from './sqlite-engine.ts';

export function programs({ db }: Engine): readonly StoredPrograms[] {
  return db.all('SELECT org_id AS orgId, json FROM programs ORDER BY org_id') as StoredPrograms[];
}

export function savePrograms({ db }: Engine, changes: RequestOf<'savePrograms'>): readonly StoredPrograms[] {
  const others: StoredPrograms[] = [];
  for (const { orgId, json, replaces } of changes) {
    const [stored] = db.values('SELECT json FROM programs WHERE org_id = ?', orgId) ?? [];
    if (typeof stored === 'string' && stored !== replaces) others.push({ orgId, json: stored });
    else db.run('INSERT OR REPLACE INTO programs (org_id, json) VALUES (?, ?)', orgId, json);
  }
  return others;
}
