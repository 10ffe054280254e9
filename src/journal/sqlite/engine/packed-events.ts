import type { NewEvent } from '../../journal.ts';

/*
 * Events on their way to the storage thread: the bodies in one buffer, which changes its owner
 * instead of being copied, and the rest as JSON, which the intake log stores as it is. An object
 * for each event would cost more than writing it to the disk.
 */

export interface PackedEvents {
  /** One JSON text for each event: the event without its body. */
  readonly heads: readonly string[];
  /** Bytes of each body. */
  readonly lengths: readonly number[];
  /** All bodies, one after the other. */
  readonly bodies: Uint8Array<ArrayBuffer>;
}

export function packEvents(events: readonly NewEvent[]): PackedEvents {
  const lengths = events.map(({ body }) => body.byteLength);
  const bodies = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  const heads = events.map(({ body, ...head }) => {
    bodies.set(body, at);
    at += body.byteLength;
    return JSON.stringify(head);
  });
  return { heads, lengths, bodies };
}

/** A packed event. */
export interface UnpackedEvent {
  readonly head: Omit<NewEvent, 'body'>;
  /** The JSON text of `head`. */
  readonly json: string;
  readonly body: Uint8Array;
}

export function unpackEvents({ heads, lengths, bodies }: PackedEvents): UnpackedEvent[] {
  let end = 0;
  return heads.map((json, index) => {
    const start = end;
    end += lengths[index] ?? 0;
    return { head: JSON.parse(json) as Omit<NewEvent, 'body'>, json, body: bodies.subarray(start, end) };
  });
}
