import { StoreError } from '../../journal.ts';

/** The connection was lost while a commit was on its way: it may have happened or not. */
export class CommitUnknownError extends StoreError {
  override name = 'CommitUnknownError';
}
