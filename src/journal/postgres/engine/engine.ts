import type { PayloadCipher, Unreadable } from '../../payload-cipher.ts';
import type { Sessions } from '../sessions/session.ts';

/** What the parts of the engine share. */
export interface PostgresEngine {
  readonly sessions: Sessions;
  readonly cipher: PayloadCipher;
  /** This process among the replicas: a UUID that is never used again. */
  readonly replica: string;
  /** Epoch ms by the database's clock, estimated without asking it; settable in tests. */
  readonly now: () => number;
  /** Reports something stored that cannot be read, once each. */
  readonly reportUnreadable: (what: string, why: Unreadable, receipt?: string) => void;
  /** Calls the listeners of `onClaimable`, here and in other replicas. */
  readonly notifyClaimable: (destination: string) => void;
}
