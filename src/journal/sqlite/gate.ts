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

export const createGate = (): Gate => {
  const inside = new Set<Promise<unknown>>();
  let open = true;
  return {
    through: async (work) => {
      if (!open) throw new StoreError('the store is closed');
      const call = work();
      inside.add(call);
      try {
        return await call;
      } finally {
        inside.delete(call);
      }
    },
    get isOpen() {
      return open;
    },
    shut: async () => {
      open = false;
      await Promise.allSettled(inside);
    },
  };
};
