import { singleHeader } from './single-header.ts';
import type { ReceivedRequest } from './verifier.ts';

/** The timestamp a sender claims: the text that was signed, and epoch milliseconds. */
export type SignedTimestamp =
  | { readonly ok: true; readonly text: string; readonly at: number }
  | { readonly ok: false; readonly problem: TimestampProblem };

type TimestampProblem = 'timestamp-missing' | 'timestamp-doubled' | 'timestamp-malformed';

/** From here on a bare number is milliseconds: as seconds it would be a date after the year 5100. */
const MILLISECONDS_FROM = 1e11;

/**
 * Reads a timestamp of plain digits. Everything else is refused, because `Number` would read `Infinity`, `1e9` or an empty text
 * too, and an infinite timestamp is never old.
 *
 * @param unit `magnitude` takes seconds and milliseconds apart by their size
 */
export function readTimestamp(
  request: Pick<ReceivedRequest, 'rawHeaders'>,
  header: string,
  unit: 's' | 'ms' | 'magnitude',
): SignedTimestamp {
  const read = singleHeader(request, header);
  if (!read.ok) {
    return { ok: false, problem: `timestamp-${read.problem}` };
  }
  if (!/^\d{1,16}$/.test(read.value)) {
    return { ok: false, problem: 'timestamp-malformed' };
  }
  const number = Number(read.value);
  const isMilliseconds = unit === 'ms' || (unit === 'magnitude' && number >= MILLISECONDS_FROM);
  return { ok: true, text: read.value, at: isMilliseconds ? number : number * 1_000 };
}

/** What is wrong with the age of a timestamp; all in milliseconds, the bounds themselves still pass. */
export function ageProblem(
  at: number,
  receivedAt: number,
  tolerance: number,
): 'timestamp-old' | 'timestamp-new' | undefined {
  // Said so that a value that is no number is refused.
  if (!(receivedAt - at <= tolerance)) {
    return 'timestamp-old';
  }
  return at - receivedAt <= tolerance ? undefined : 'timestamp-new';
}
