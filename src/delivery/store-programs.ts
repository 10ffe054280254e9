import { type Journal, StoreError } from '../journal/journal.ts';
import type { ProgramCatalogue, ProgramsChange } from '../mapping/program-catalogue.ts';

/** Other replicas learn the same at the same time at most: each attempt joins what they stored. */
const MAX_ATTEMPTS = 10;

/** Reads what other replicas have learnt. */
export async function loadPrograms(
  programs: ProgramCatalogue,
  journal: Pick<Journal, 'programs'>,
): Promise<void> {
  for (const stored of await journal.programs()) programs.load(stored);
}

/** Stores what was learnt, together with what other replicas have stored meanwhile. */
export async function storePrograms(
  programs: ProgramCatalogue,
  journal: Pick<Journal, 'savePrograms'>,
  learnt: readonly ProgramsChange[],
): Promise<void> {
  let changes = learnt;
  try {
    for (let attempt = 0; changes.length > 0; attempt += 1) {
      if (attempt === MAX_ATTEMPTS) throw new StoreError('what is known of programs changes too often');
      const others = await journal.savePrograms(changes);
      const isOther = new Set(others.map(({ orgId }) => orgId));
      for (const change of changes) if (!isOther.has(change.orgId)) programs.changeStored(change);
      for (const stored of others) programs.load(stored);
      changes = programs.takeChanges();
    }
  } catch (error) {
    programs.returnChanges([...learnt, ...changes]);
    throw error;
  }
}
