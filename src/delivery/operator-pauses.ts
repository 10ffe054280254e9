import type { Journal, OperatorPause } from '../journal/journal.ts';
import { followReplicas } from './follow-replicas.ts';

/** How often the store is asked while there are other replicas, because a notice can be lost. */
const POLL_MS = 2_000;

/**
 * The destinations that operators have paused, on whatever replica. The store decides; what it says
 * is read again when another replica gives notice, and now and then.
 */
export interface OperatorPauses {
  get(destination: string): OperatorPause | undefined;
  pause(destination: string, by: string): Promise<void>;
  resume(destination: string): Promise<void>;
  /** Reads what is stored. */
  load(): Promise<void>;
  /** Follows what other replicas do, until the abort. */
  follow(signal: AbortSignal): Promise<void>;
}

export interface OperatorPausesParts {
  readonly journal: Pick<
    Journal,
    'pauses' | 'pause' | 'resume' | 'publish' | 'onNotice' | 'onShares' | 'replicaCount'
  >;
  /** Called when a destination was paused, and with undefined when it was resumed. */
  readonly apply: (destination: string, pause: OperatorPause | undefined) => void;
  readonly onError: (error: unknown) => void;
}

export function createOperatorPauses({ journal, apply, onError }: OperatorPausesParts): OperatorPauses {
  const known = new Map<string, OperatorPause>();
  // One after the other: what was read before a change must not undo it.
  let turn: Promise<unknown> = Promise.resolve();

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.catch(() => undefined);
    return done;
  };

  const set = (destination: string, pause: OperatorPause | undefined): void => {
    if (pause === undefined) known.delete(destination);
    else known.set(destination, pause);
    apply(destination, pause);
  };

  const load = (): Promise<void> =>
    inTurn(async () => {
      const stored = await journal.pauses();
      for (const pause of stored) {
        const before = known.get(pause.destination);
        if (before?.at !== pause.at || before.by !== pause.by) set(pause.destination, pause);
      }
      for (const destination of known.keys()) {
        if (stored.every((pause) => pause.destination !== destination)) set(destination, undefined);
      }
    });

  return {
    get: (destination) => known.get(destination),
    pause: (destination, by) =>
      inTurn(async () => {
        set(destination, await journal.pause(destination, by));
        journal.publish({ kind: 'pauses', destination });
      }),
    resume: (destination) =>
      inTurn(async () => {
        await journal.resume(destination);
        set(destination, undefined);
        journal.publish({ kind: 'pauses', destination });
        // It ends other waits, too.
        journal.publish({ kind: 'retry-now', destination });
      }),
    load,
    async follow(signal) {
      const unsubscribe = journal.onNotice(({ kind }) => {
        if (kind === 'pauses') load().catch(onError);
      });
      await followReplicas(journal, POLL_MS, load, { signal, onError });
      unsubscribe();
    },
  };
}
