import type { Journal } from '../journal/journal.ts';

/** Pending events of a source at a destination that it no longer has in the configuration. */
export interface MisplacedEvents {
  readonly source: string;
  /** Where they wait; nobody delivers them there. */
  readonly from: string;
  /** Where the source sends events now. */
  readonly to: string;
  readonly pending: number;
}

export interface Misplaced {
  /** As of the last `check`. */
  readonly known: readonly MisplacedEvents[];
  /** Counts them. */
  check(): Promise<readonly MisplacedEvents[]>;
}

/**
 * Finds events that a restart with another configuration has left behind. They are not moved by
 * themselves: in a rolling deployment two versions of a configuration would move them to and fro.
 */
export function createMisplaced(
  journal: Pick<Journal, 'backlog' | 'ledger' | 'count'>,
  sources: () => readonly { readonly name: string; readonly destination: string }[],
): Misplaced {
  let known: readonly MisplacedEvents[] = [];

  const waitingAt = (source: string, destination: string): Promise<number> =>
    journal.count({ states: ['pending'], source, destination });

  const count = async (): Promise<MisplacedEvents[]> => {
    const [ledger, backlog] = await Promise.all([journal.ledger(), journal.backlog()]);
    const used = backlog.filter(({ pending }) => pending > 0).map(({ destination }) => destination);
    const found: MisplacedEvents[] = [];
    for (const { name: source, destination: to } of sources()) {
      if ((ledger[source]?.pending ?? 0) === 0) continue;
      for (const from of used) {
        const pending = from === to ? 0 : await waitingAt(source, from);
        if (pending > 0) found.push({ source, from, to, pending });
      }
    }
    return found;
  };

  return {
    get known() {
      return known;
    },
    async check() {
      known = await count();
      return known;
    },
  };
}
