/** What the journal needs of a logger; a pino logger fits. */
export interface JournalLog {
  error(fields: object, message: string): void;
  warn?(fields: object, message: string): void;
  info?(fields: object, message: string): void;
}

/** Listeners to one kind of event. */
export interface Listeners<T> {
  readonly add: (listener: (value: T) => void) => () => void;
  readonly call: (value: T) => void;
}

/** The failure of a listener is logged, and the others are called. */
export function createListeners<T>(log: JournalLog | undefined): Listeners<T> {
  const all = new Set<(value: T) => void>();
  return {
    add(listener) {
      // Wrapped, so that the same function can be subscribed twice.
      const own = (value: T): void => listener(value);
      all.add(own);
      return () => void all.delete(own);
    },
    call(value) {
      for (const listener of all) {
        try {
          listener(value);
        } catch (error) {
          log?.error({ err: error }, 'a listener of the journal failed');
        }
      }
    },
  };
}
