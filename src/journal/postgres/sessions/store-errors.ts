import { StoreError } from '../../journal.ts';

/** The connection was lost while a commit was on its way: it may have happened or not. */
export class CommitUnknownError extends StoreError {
  override name = 'CommitUnknownError';
}

/** The server refused a statement, and nothing of it was stored. */
export class DatabaseError extends StoreError {
  override name = 'DatabaseError';
  /** Five characters, see the appendix "Error Codes" of the manual of PostgreSQL. */
  readonly sqlState: string;

  constructor(
    sqlState: string,
    message: string,
    options?: ErrorOptions & { readonly fix?: string | undefined },
  ) {
    super(message, options);
    this.sqlState = sqlState;
  }
}
