import { StoreError } from '../journal.ts';

/** Lets calls through until it is shut, and knows when those inside have come out. */
export interface Gate {
  /** @throws StoreError (rejects) once the gate is shut. */
  through<T>(work: () => Promise<T>): Promise<T>;
  /** False as soon as it is being shut: who has many steps to take inside leaves before the next one. */
  readonly isOpen: boolean;
  /** Resolves when nobody is inside any more. */
  shut(): Promise<void>;
}

export function createGate(): Gate {
  let inside = 0;
  let open = true;
  const empty = Promise.withResolvers<void>();
  const leave = (): void => {
    inside -= 1;
    if (!open && inside === 0) empty.resolve();
  };
  return {
    // Each webhook passes: so no promise is put around the call's own.
    through: (work) => {
      if (!open) return Promise.reject(new StoreError('the store is closed'));
      const call = work();
      inside += 1;
      call.then(leave, leave);
      return call;
    },
    get isOpen() {
      return open;
    },
    shut: async () => {
      open = false;
      if (inside === 0) empty.resolve();
      await empty.promise;
    },
  };
}
