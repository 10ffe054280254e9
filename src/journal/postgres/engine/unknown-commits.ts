import { StoreError } from '../../journal.ts';
import type { HeldClaim } from '../queue/held-claim.ts';
import type { Session, Statement } from '../sessions/session.ts';
import { sqlStateOf } from '../sessions/sql-states.ts';
import type { Settling } from './settle-together.ts';

/*
 * The connection can be lost while a transaction commits, and its settlements are then repeated.
 * An event that it moved to a final state has left the queue, so that nothing is recorded twice.
 * But an event that waits is still in the queue, so the server is asked whether the transaction was
 * committed.
 */

const TRANSACTION_ID: Statement = {
  name: 'transaction_id',
  text: 'SELECT pg_current_xact_id()::text AS id',
};

/** The id of the current transaction. */
export async function transactionId(session: Session): Promise<string> {
  const [row] = await session.query<{ id: string }>(TRANSACTION_ID);
  return (row as { id: string }).id;
}

/* After a fail-over that has lost the transaction, another one can have its id. */
const TRANSACTION_STATUS: Statement = {
  name: 'transaction_status',
  text: `SELECT pg_xact_status($1::xid8) AS status, EXISTS (
      SELECT FROM queue
      WHERE destination = $2 AND is_replay = $3 AND stream = $4 AND pos = $5 AND due_at = $6
    ) AS "isPostponed"`,
};

/** SQLSTATE of the question for a transaction that has not begun yet. */
const IN_THE_FUTURE = '22023';

interface Postponement {
  readonly transaction: string;
  readonly claim: HeldClaim;
  readonly dueAt: number;
}

function keyOf({ stream, pos }: HeldClaim): string {
  return `${stream} ${pos}`;
}

export class UnknownCommits {
  readonly #postponed = new Map<string, Postponement>();

  /** Remembers what a transaction with an unknown end may have postponed. */
  add(transaction: string, settlings: readonly Settling[]): void {
    for (const { claim, end } of settlings)
      if (claim !== undefined && end?.kind === 'waiting')
        this.#postponed.set(keyOf(claim), { transaction, claim, dueAt: end.dueAt });
  }

  /**
   * The settlements that still have to be applied. The others were: they have their outcome now.
   * @throws StoreError if the transaction has not ended yet
   */
  async without(
    session: Pick<Session, 'query'>,
    settlings: readonly Settling[],
  ): Promise<readonly Settling[]> {
    if (this.#postponed.size === 0) return settlings;
    const left: Settling[] = [];
    for (const settling of settlings) {
      const { claim } = settling;
      const known = claim && this.#postponed.get(keyOf(claim));
      if (claim === undefined || known === undefined || !(await isCommitted(session, known))) {
        left.push(settling);
      } else {
        settling.outcome = 'recorded';
        settling.end = { kind: 'waiting', dueAt: known.dueAt };
      }
      if (claim !== undefined) this.#postponed.delete(keyOf(claim));
    }
    return left;
  }
}

async function isCommitted(
  session: Pick<Session, 'query'>,
  { transaction, claim, dueAt }: Postponement,
): Promise<boolean> {
  const { destination, isReplay, stream, pos } = claim;
  const params = [transaction, destination, isReplay, stream, pos, dueAt];
  try {
    const [row] = await session.query<{ status: string | null; isPostponed: boolean }>(
      TRANSACTION_STATUS,
      params,
    );
    if (row?.status === 'in progress')
      throw new StoreError('an earlier transaction with the same settlements has not ended yet');
    return row?.status === 'committed' && row.isPostponed;
  } catch (error) {
    if (sqlStateOf(error) === IN_THE_FUTURE) return false;
    throw error;
  }
}
