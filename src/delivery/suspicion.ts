/**
 * Remembers, for messages that were in a request that failed as a whole, how large that request was and when it failed: what is needed to
 * send them in ever smaller company and to say whether others passed meanwhile. Lost with the process; delivery then
 * starts from the persisted count of failures.
 */
export interface Suspicion {
  failed(receipts: Iterable<string>, size: number, at: number): void;
  forget(receipt: string): void;
  /** The most messages that a request holding this one may have. */
  roomFor(receipt: string, failures: number, maxMessages: number): number;
  /** When it failed last; undefined if not in this process's life. */
  failedAt(receipt: string): number | undefined;
}

export function createSuspicion(): Suspicion {
  const known = new Map<string, { size: number; at: number }>();
  return {
    failed(receipts, size, at) {
      for (const receipt of receipts) known.set(receipt, { size, at });
    },
    forget(receipt) {
      known.delete(receipt);
    },
    roomFor(receipt, failures, maxMessages) {
      const size = known.get(receipt)?.size;
      const room = size === undefined ? maxMessages / 2 ** Math.min(failures, 30) : size / 2;
      return Math.max(1, Math.ceil(room));
    },
    failedAt: (receipt) => known.get(receipt)?.at,
  };
}
