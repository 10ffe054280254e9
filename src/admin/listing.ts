import { ProblemError } from '../http/problems.ts';
import { type Page, type PageRequest, RefusedError } from '../journal/journal.ts';

interface Listed<F> {
  readonly filter: F;
  readonly page: PageRequest;
}

/** Parts the query of a list into what is looked for and which page of it. */
export function listed<Q extends { readonly cursor?: string | undefined; readonly limit: number }>({
  cursor,
  limit,
  ...filter
}: Q): Listed<Omit<Q, 'cursor' | 'limit'>> {
  return {
    filter,
    page: { limit, ...(cursor === undefined ? {} : { cursor }) },
  };
}

/**
 * Asks the journal for a page.
 * @throws ProblemError `bad-request` for a cursor that no list gave
 */
export async function pageOf<T>(
  asked: Promise<Page<T>>,
): Promise<{ items: readonly T[]; next: string | null }> {
  try {
    const { items, cursor } = await asked;
    return { items, next: cursor ?? null };
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    throw new ProblemError('bad-request', 'cursor: must be the next of a list; leave it out to begin anew');
  }
}
