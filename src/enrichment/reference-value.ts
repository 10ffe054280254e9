import type { CallOptions, CallResult } from './api-caller.ts';
import { type CallQueue, PRIORITY, type Priority, type Ticket } from './api-call-queue.ts';
import type { StageClock } from './stage-clock.ts';

/** One value that changes seldom. */
export interface ReferenceValue<T> {
  /** The last answer, however old. */
  readonly last: T | undefined;
  /**
   * The last answer; an old one is read again in the background. Before the first answer the caller
   * waits for it, but not long and not soon after a failure.
   */
  get(priority: Priority): T | undefined | Promise<T | undefined>;
  /** Reads it now. */
  load(priority: Priority, options?: CallOptions): Promise<CallResult<T>>;
}

export interface ReferenceValueParts<T> {
  readonly read: (ticket: Ticket, options: CallOptions | undefined) => Promise<CallResult<T>>;
  readonly queue: CallQueue;
  readonly clock: StageClock;
}

/** Programs and currencies are changed by people, after some preparation. */
const MAX_AGE_MS = 6 * 3_600_000;
const RETRY_MS = 60_000;
const MAX_WAIT_MS = 10_000;

/** Resolves with the promise, or after the time with undefined. */
export async function within<T>(
  ms: number,
  promise: Promise<T>,
  { after }: Pick<StageClock, 'after'>,
): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const cancel = after(ms, () => late.resolve(undefined));
  const value = await Promise.race([promise, late.promise]);
  cancel();
  return value;
}

export function createReferenceValue<T>(parts: ReferenceValueParts<T>): ReferenceValue<T> {
  const { queue, clock } = parts;
  let last: { readonly value: T; readonly at: number } | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;
  let loading: { readonly ticket: Ticket; readonly result: Promise<CallResult<T>> } | undefined;

  const run = async (ticket: Ticket, options: CallOptions | undefined): Promise<CallResult<T>> => {
    const result = await parts.read(ticket, options);
    queue.cancel(ticket);
    loading = undefined;
    if (result.ok) last = { value: result.value, at: clock.monotonic() };
    else failedAt = clock.monotonic();
    return result;
  };

  const load = (priority: Priority, options?: CallOptions): Promise<CallResult<T>> => {
    if (loading === undefined) {
      const ticket = queue.plan(priority);
      loading = { ticket, result: run(ticket, options) };
    } else queue.raise(loading.ticket, priority);
    return loading.result;
  };

  return {
    get last() {
      return last?.value;
    },
    get(priority) {
      const now = clock.monotonic();
      const maySoonLoad = now - failedAt > RETRY_MS;
      if (last !== undefined) {
        if (now - last.at > MAX_AGE_MS && maySoonLoad) void load(PRIORITY.refresh);
        return last.value;
      }
      if (loading === undefined && !maySoonLoad) return undefined;
      return within(
        MAX_WAIT_MS,
        load(priority).then((result) => (result.ok ? result.value : undefined)),
        clock,
      );
    },
    load,
  };
}
