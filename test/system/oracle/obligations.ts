import { parseEvent } from '../../../src/capillary/envelope.ts';
import type { CapillaryEvent } from '../../../src/capillary/event.ts';
import type { DestinationConfig, SourceConfig } from '../../../src/config/schema.ts';
import { mapEvent } from '../../../src/mapping/map-event.ts';
import type { Mapped, MappingContext } from '../../../src/mapping/mapped.ts';
import { xdmId } from '../../../src/xdm/xdm-id.ts';

/** An event that was posted: from its first 200 on, the relay owes it. */
export interface Obligation {
  readonly body: string;
  readonly event: CapillaryEvent;
  /** `_id` that its messages must have. */
  readonly id: string;
  /** Adobe refuses it by script, so it must end as a dead letter. */
  readonly isPoison: boolean;
  /** POSTs made of it. */
  sends: number;
  /** Epoch ms at which its first POST began. */
  sentAt?: number;
  /** Steady ms at which its first POST began, and at which its first 200 was read. */
  began?: number;
  answered?: number;
  /** Its place in the order of acceptance: receipts are UUIDs of version 7, made one after the other. */
  receipt?: string;
  /** Place of the first landing of each of its messages. */
  landed: { event?: number; profile?: number };
  copies: number;
}

/** What the relay is configured with, as the mapping needs it. */
export interface Terms {
  readonly source: SourceConfig;
  readonly destination: DestinationConfig;
  /** Start of the `_id` of the events that Adobe refuses. */
  readonly poison?: string;
}

/** Everything that was ever posted, once for each identity. */
export interface Obligations {
  /** The obligation of this body; a body of the same identity as an earlier one is a duplicate of it. */
  of(body: string): Obligation;
  byId(id: string): Obligation | undefined;
  all(): Obligation[];
}

export const createObligations = ({ source, poison }: Terms): Obligations => {
  const known = new Map<string, Obligation>();
  return {
    of(body) {
      const parsed = parseEvent(
        Buffer.from(body),
        source.orgIds === undefined ? {} : { orgIds: source.orgIds },
      );
      if (!parsed.ok) throw new Error(`the judge posts events only: ${parsed.detail}`);
      const id = xdmId(parsed.event.identity);
      const isPoison = poison !== undefined && id.startsWith(poison);
      const obligation = { body, event: parsed.event, id, isPoison, sends: 0, landed: {}, copies: 0 };
      const first = known.get(id) ?? obligation;
      known.set(id, first);
      return first;
    },
    byId: (id) => known.get(id),
    all: () => [...known.values()],
  };
};

/** What the event is mapped with. */
export const contextOf = ({ sentAt }: Obligation, { source, destination }: Terms): MappingContext => ({
  source,
  destination,
  receivedAt: sentAt ?? Date.now(),
  idSuffix: '',
});

/** What the event must become, by the mapping itself. */
export const mappedAs = async (by: Obligation, terms: Terms): Promise<Mapped> =>
  mapEvent(by.event, contextOf(by, terms));

/** JSON as it comes out at the other end. */
export const plain = (value: object): Record<string, unknown> =>
  JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
