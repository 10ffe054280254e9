import { RefusedError } from './journal.ts';

/** @throws RefusedError unless it is 64 hex digits: truncated, two events could be taken for one */
export function assertIdentity(identity: string): void {
  if (!/^[0-9a-f]{64}$/u.test(identity))
    throw new RefusedError('an identity must be 64 lower-case hex digits');
}
