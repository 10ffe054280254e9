import type { NewEvent } from '../../src/journal/journal.ts';
import { sampleEvent, sha256 } from '../contract/samples.ts';

const LANES = 23;

/** The event of a number: a lane for most, and a body of a few bytes to some pages. */
export function busyEvent(number: number): NewEvent {
  const hash = sha256(`busy event ${number}`);
  const isLarge = number % 29 === 0;
  const length = Number.parseInt(hash.slice(0, 4), 16) % (isLarge ? 40_000 : 3_000);
  return sampleEvent({
    identity: hash,
    lane: number % 5 === 0 ? undefined : sha256(`lane ${number % LANES}`),
    eventId: `busy-${number}`,
    body: Buffer.from(JSON.stringify({ number, pad: hash[0]!.repeat(length) })),
  });
}

/** A line that the busy process prints once something is answered. */
export interface Answered {
  readonly kind: 'event' | 'malformed' | 'quarantined';
  readonly receipt: string;
  /** See `busyEvent`; 0 for anything else. */
  readonly number: number;
}
