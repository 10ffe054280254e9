import type { Page, PageRequest } from '../journal/journal.ts';

/** Iterates over a listing of the journal, with at most one page in memory. */
export async function* pagesOf<T>(
  list: (page: PageRequest) => Promise<Page<T>>,
  limit: number,
): AsyncGenerator<readonly T[]> {
  let cursor: string | undefined;
  do {
    const page: Page<T> = await list({ limit, ...(cursor === undefined ? {} : { cursor }) });
    yield page.items;
    ({ cursor } = page);
  } while (cursor !== undefined);
}
