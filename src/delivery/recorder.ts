import type { ClaimedEvent, Journal, Settlement } from '../journal/journal.ts';
import type { DeliveryObserver, MappingReport } from './observer.ts';
import { withNotes } from './settlement.ts';

export interface RecorderParts {
  /** Its name. */
  readonly destination: string;
  readonly journal: Pick<Journal, 'settle'>;
  readonly observer: Pick<DeliveryObserver, 'settled' | 'noted' | 'trouble'>;
  /** Aborted when the relay stops. */
  readonly signal: AbortSignal;
  /** Waits before a journal that refused is asked again. */
  readonly pause: () => Promise<void>;
  /** Told of each outcome that the journal has taken, and whether that was the end of the event. */
  readonly recorded: (receipt: string, isSettled: boolean) => void;
}

/** Resolves when the outcome is recorded, or given up because the relay stops. */
export type Recorder = (event: ClaimedEvent, settlement: Settlement, mapping: MappingReport) => Promise<void>;

/** What Adobe took must be recorded: a refusing journal is asked again until it takes it or the relay stops. */
export function createRecorder({
  destination,
  journal,
  observer,
  signal,
  pause,
  recorded,
}: RecorderParts): Recorder {
  return async (event, settlement, mapping) => {
    let heldBack: boolean;
    for (;;) {
      try {
        ({ heldBack } = await journal.settle(withNotes(settlement, mapping.notes)));
        break;
      } catch (error) {
        observer.trouble(destination, `the outcome of ${event.receipt} could not be recorded`, error);
        if (signal.aborted) return;
        await pause();
      }
    }
    // Held back, it comes again, in the lane of the customer into whom its own was merged.
    const isSettled = !heldBack && settlement.state !== 'pending';
    recorded(event.receipt, isSettled);
    if (heldBack) return;
    observer.settled(event, settlement);
    if (isSettled) observer.noted(event, mapping);
  };
}
