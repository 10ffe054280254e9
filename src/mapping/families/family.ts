import type { CapillaryEvent } from '../../capillary/event.ts';
import type { Identity } from '../identities.ts';
import type { MappingContext } from '../mapped.ts';
import type { Notes } from '../notes.ts';
import type { Reader } from '../reader.ts';

/** Fields on their way into a record; what is undefined or empty in it is taken out before it is sent. */
export type Draft = { readonly [field: string]: unknown };

/** What the mapping of one event family works from. */
export interface FamilyInput {
  readonly event: CapillaryEvent;
  /** Reads `event.data`. */
  readonly data: Reader;
  readonly identities: readonly Identity[];
  readonly context: MappingContext;
  /** Time of the event, epoch ms: the `timestamp` of its record. */
  readonly at: number;
  readonly notes: Notes;
}

/** What one event family makes of an event, besides the fields that all events share. */
export interface FamilyResult {
  readonly eventType: string;
  /** Standard fields of the ExperienceEvent. */
  readonly fields?: Draft;
  /** Fields below `<tenant>.capillary` of the ExperienceEvent. */
  readonly tenant?: Draft;
  /** Profile attributes, XDM path → value. Undefined: the event tells nothing of the profile. */
  readonly attributes?: Draft;
  /** Profile attributes below `<tenant>.capillary`. */
  readonly tenantAttributes?: Draft;
}

export type Family = (input: FamilyInput) => FamilyResult;
