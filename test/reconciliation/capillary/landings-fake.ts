import type { KnownEvent } from '../../../src/journal/landings.ts';
import type { Journal } from '../../../src/journal/journal.ts';

/** The journal with what reconciliation of sources needs, in memory. */
export function withLandings(journal: Journal) {
  const known = new Map<string, KnownEvent>();
  const notes = new Map<string, Map<string, string>>();
  const refreshes: string[] = [];
  let since: number | undefined;
  return {
    ...journal,
    refreshes,
    forgetBefore: (at: number) => {
      since = at;
      known.clear();
    },
    append: async (events: Parameters<Journal['append']>[0]) => {
      const appended = await journal.append(events);
      for (const [index, one] of appended.entries()) {
        const event = events[index];
        if (event !== undefined && !one.duplicate)
          known.set(event.identity, {
            receipt: one.receipt,
            verifiedBy: event.verifiedBy,
            receivedAt: event.receivedAt,
          });
      }
      return appended;
    },
    known: async (_source: string, identities: readonly string[]) =>
      new Map(
        identities.flatMap((identity) => {
          const event = known.get(identity);
          return event === undefined ? [] : [[identity, event] as const];
        }),
      ),
    knownSince: async () => since,
    askRefresh: async (_source: string, customerIds: readonly string[]) => {
      refreshes.push(...customerIds);
      return { asked: customerIds.length };
    },
    reconciliationNotes: async (scope: string) => new Map(notes.get(scope)),
    saveReconciliationNotes: async (scope: string, changes: Readonly<Record<string, string | null>>) => {
      const all = notes.get(scope) ?? new Map<string, string>();
      notes.set(scope, all);
      for (const [key, json] of Object.entries(changes)) {
        if (json === null) all.delete(key);
        else all.set(key, json);
      }
    },
  };
}
