export interface InletUrls {
  readonly origin: string;
  /** Path and query of the single endpoint. */
  readonly single: string;
  /** Path and query of the batch endpoint. */
  readonly batch: string;
}

const COLLECTION = /\/collection\/(?:batch\/)?/;

/**
 * Both endpoints of an inlet, from the URL of either. AEP gives only the single one; the batch one has `/collection/batch/` in place of
 * `/collection/` (adobe.md §2.1). The query stays as it is.
 * @throws TypeError when it is no inlet URL
 */
export function inletUrls(inletUrl: string): InletUrls {
  const { origin, pathname, search } = new URL(inletUrl);
  if (!COLLECTION.test(pathname)) throw new TypeError('An inlet URL must hold /collection/<inletId>');
  const path = (base: string) => pathname.replace(COLLECTION, base) + search;
  return { origin, single: path('/collection/'), batch: path('/collection/batch/') };
}
