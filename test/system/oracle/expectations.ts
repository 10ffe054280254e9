import { parseEvent } from '../../../src/capillary/event-parser.ts';
import type { CapillaryEvent } from '../../../src/capillary/event.ts';
import type { DestinationConfig, SourceConfig } from '../../../src/config/config-schema.ts';
import { mapEvent } from '../../../src/mapping/map-event.ts';
import type { MappingContext, MappingResult } from '../../../src/mapping/mapping-result.ts';
import type { ProgramCatalogue } from '../../../src/mapping/program-catalogue.ts';
import { xdmId } from '../../../src/xdm/xdm-record.ts';

/** An event that was posted. From its first 200 on, the relay must deliver it. */
export interface ExpectedEvent {
  readonly body: string;
  readonly event: CapillaryEvent;
  /** `_id` that its messages must have. */
  readonly id: string;
  /** The simulated Adobe rejects it permanently, so it must end as a dead letter. */
  readonly isPoison: boolean;
  /** Epoch ms when its first POST started. */
  firstPostEpochMs?: number;
  /** The same time by the monotonic clock, ms. */
  firstPostMs?: number;
  /** When its first 200 was read, by the monotonic clock, ms. */
  acknowledgedMs?: number;
  /** Defines its place in the order of acceptance: receipts are increasing version 7 UUIDs. */
  receipt?: string;
  /** Sequence number at which each of its messages first landed. */
  landed: { event?: number; profile?: number };
  /** When its event message first landed, by the monotonic clock, ms. */
  landedMs?: number;
}

/** Configuration that the mapping of the relay under test depends on. */
export interface MappingSettings {
  readonly source: SourceConfig;
  readonly destination: DestinationConfig;
  /**
   * Learns from every event that is mapped, as that of the relay does. Before anything is compared,
   * both must know the default program: see `postEvents` of the harness.
   */
  readonly programs: ProgramCatalogue;
  /** `_id` prefix of the events that the simulated Adobe rejects permanently. */
  readonly poisonIdPrefix?: string;
}

/** All events that were ever posted, one entry per identity. */
export interface Expectations {
  /** The entry for this body; a body with the identity of an earlier one shares its entry. */
  register(body: string): ExpectedEvent;
  byId(id: string): ExpectedEvent | undefined;
  all(): ExpectedEvent[];
}

export function createExpectations({
  source,
  poisonIdPrefix,
}: Omit<MappingSettings, 'programs'>): Expectations {
  const entries = new Map<string, ExpectedEvent>();
  return {
    register(body) {
      const parsed = parseEvent(Buffer.from(body), {
        orgIds: source.orgIds ?? [],
        timezone: source.timezone,
      });
      if (!parsed.ok) throw new Error(`the generated body is not an event: ${parsed.detail}`);
      const id = xdmId(parsed.event.identity);
      const isPoison = poisonIdPrefix !== undefined && id.startsWith(poisonIdPrefix);
      const entry = entries.get(id) ?? { body, event: parsed.event, id, isPoison, landed: {} };
      entries.set(id, entry);
      return entry;
    },
    byId: (id) => entries.get(id),
    all: () => [...entries.values()],
  };
}

/** The context in which the relay maps this event. */
export function mappingContextOf(
  { firstPostEpochMs }: ExpectedEvent,
  { source, destination, programs }: MappingSettings,
): MappingContext {
  return {
    source,
    destination,
    programs,
    receivedAt: firstPostEpochMs ?? Date.now(),
    idSuffix: '',
  };
}

/** The expected result of mapping the event. Uses the real mapping, which has tests of its own. */
export async function expectedMapping(
  expected: ExpectedEvent,
  settings: MappingSettings,
): Promise<MappingResult> {
  return mapEvent(expected.event, mappingContextOf(expected, settings));
}

/** A copy as it is after a JSON round trip, without undefined fields. */
export function asJson(value: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
}
