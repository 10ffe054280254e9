import type { CapillaryEvent } from '../../capillary/event.ts';
import type { JsonValue } from '../../capillary/json.ts';
import type { ContactChanges } from '../contact-changes.ts';
import type { EventIdentity } from '../identities.ts';
import type { Notes } from '../mapping-notes.ts';
import type { MappingContext } from '../mapping-result.ts';
import type { Programs } from '../program-catalogue.ts';
import type { Reader } from '../reader.ts';

/** Fields of a record before validation, which removes what is undefined or empty. */
export type Draft = { readonly [field: string]: unknown };

/** The input of an event family's mapping. */
export interface FamilyInput {
  readonly event: CapillaryEvent;
  /** Reads `event.data`. */
  readonly data: Reader;
  readonly identities: readonly EventIdentity[];
  /** What the event says about identities that the customer has no longer. */
  readonly contactChanges: ContactChanges;
  readonly context: MappingContext;
  /** Time of the event in epoch ms: the `timestamp` of its record. */
  readonly occurredAt: number;
  /** Distinguishes facts of this event from those of others; the same whenever it is mapped. */
  readonly eventKey: string;
  /** What is known about the programs of the event's organisation, this event included. */
  readonly programs: Programs;
  readonly notes: Notes;
}

/** The fields of an event that are specific to its family, in addition to those of all events. */
export interface FamilyResult {
  readonly eventType: string;
  /** Standard fields of the ExperienceEvent. */
  readonly fields?: Draft;
  /** Fields below `<tenant>.capillary` of the ExperienceEvent. */
  readonly tenant?: Draft;
  /** Profile attributes, XDM path → value; null clears the attribute. */
  readonly attributes?: Draft;
  /** Profile attributes below `<tenant>.capillary`. */
  readonly tenantAttributes?: Draft;
  /** Facts about the customer from which attributes are computed. */
  readonly facts?: Facts;
}

/**
 * Facts by path (`factPath`): null clears the fact, undefined leaves it; the last one of a path
 * counts. A list, because objects with event keys as names make all objects of the process slow.
 */
export type Facts = readonly (readonly [path: string, value: JsonValue | undefined])[];

export type Family = (input: FamilyInput) => FamilyResult;
