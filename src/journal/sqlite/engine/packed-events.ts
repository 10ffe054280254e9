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
  /** All bodies, one after the other, and unused space. */
  readonly bodies: Uint8Array<ArrayBuffer>;
}

const FIRST_BYTES = 16_384;

/** Packs events one by one. An event is copied when it is added. */
export class EventPacker {
  #heads: string[] = [];
  #lengths: number[] = [];
  #bodies = new Uint8Array(FIRST_BYTES);
  #used = 0;

  get count(): number {
    return this.#heads.length;
  }

  /** Bytes of the bodies. */
  get bytes(): number {
    return this.#used;
  }

  add({ body, ...head }: NewEvent): void {
    const end = this.#used + body.byteLength;
    if (end > this.#bodies.byteLength) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bodies.byteLength));
      larger.set(this.#bodies.subarray(0, this.#used));
      this.#bodies = larger;
    }
    this.#bodies.set(body, this.#used);
    this.#used = end;
    this.#lengths.push(body.byteLength);
    this.#heads.push(JSON.stringify(head));
  }

  /** Everything that was added since the last call. */
  take(): PackedEvents {
    const packed = { heads: this.#heads, lengths: this.#lengths, bodies: this.#bodies };
    this.#heads = [];
    this.#lengths = [];
    this.#bodies = new Uint8Array(FIRST_BYTES);
    this.#used = 0;
    return packed;
  }
}

export function packEvents(events: readonly NewEvent[]): PackedEvents {
  const packer = new EventPacker();
  for (const event of events) packer.add(event);
  return packer.take();
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
