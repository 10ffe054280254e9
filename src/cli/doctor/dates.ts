import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** Published by undici for the head of each answer of this process. */
const CHANNEL = 'undici:request:headers';
/** A Date header has whole seconds, so the server's clock was half of one further on average. */
const HALF_SECOND = 500;

interface Message {
  readonly request: { readonly origin: string | URL };
  /** Names and values in turn. */
  readonly response: { readonly headers: readonly (Buffer | string)[] };
}

function dateOf(headers: Message['response']['headers']): number {
  const at = headers.findIndex((name, index) => index % 2 === 0 && String(name).toLowerCase() === 'date');
  return at < 0 ? Number.NaN : Date.parse(String(headers[at + 1]));
}

export interface Dates {
  /** Origin of each server whose answers had a Date → ms by which the clock here is ahead of it; the least of several. */
  readonly ahead: ReadonlyMap<string, number>;
  stop(): void;
}

/** Listens to the Date headers of the answers that come anyway, so that no server is asked for the time. */
export function watchDates(): Dates {
  const ahead = new Map<string, number>();
  const onHeaders = (message: unknown): void => {
    const { request, response } = message as Message;
    const skew = Date.now() - dateOf(response.headers) - HALF_SECOND;
    if (Number.isNaN(skew)) return;
    const { origin } = new URL(request.origin);
    const before = ahead.get(origin);
    if (before === undefined || Math.abs(skew) < Math.abs(before)) ahead.set(origin, skew);
  };
  subscribe(CHANNEL, onHeaders);
  return { ahead, stop: () => void unsubscribe(CHANNEL, onHeaders) };
}
