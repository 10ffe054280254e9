import type { CapillaryEvent } from '../../capillary/event.ts';
import type { Identity } from '../identities.ts';
import type { Notes } from '../mapping-notes.ts';
import type { MappingContext } from '../mapping-result.ts';
import type { Reader } from '../reader.ts';

/** Fields of a record before validation, which removes what is undefined or empty. */
export type Draft = { readonly [field: string]: unknown };

/** The input of an event family's mapping. */
export interface FamilyInput {
  readonly event: CapillaryEvent;
  /** Reads `event.data`. */
  readonly data: Reader;
  readonly identities: readonly Identity[];
  readonly context: MappingContext;
  /** Time of the event in epoch ms: the `timestamp` of its record. */
  readonly occurredAt: number;
  readonly notes: Notes;
}

/** The fields of an event that are specific to its family, in addition to those of all events. */
export interface FamilyResult {
  readonly eventType: string;
  /** Standard fields of the ExperienceEvent. */
  readonly fields?: Draft;
  /** Fields below `<tenant>.capillary` of the ExperienceEvent. */
  readonly tenant?: Draft;
  /** Profile attributes, XDM path → value. Undefined: the event does not change the profile. */
  readonly attributes?: Draft;
  /** Profile attributes below `<tenant>.capillary`. */
  readonly tenantAttributes?: Draft;
}

export type Family = (input: FamilyInput) => FamilyResult;
