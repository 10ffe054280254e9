import type { CapillaryEvent } from '../capillary/event.ts';
import type { JsonObject, JsonValue } from '../capillary/json.ts';
import type { DestinationConfig, SourceConfig } from '../config/schema.ts';
import type { Unread } from './unread.ts';

/** `dropped`: left out. `repaired`: changed, or chosen otherwise. `truncated`: cut to a limit, or near one. */
export type NoteKind = 'dropped' | 'repaired' | 'truncated';

/** Something the mapping left out or changed, and why. Holds paths and codes, never values. */
export interface MappingNote {
  readonly kind: NoteKind;
  /** Where in the Capillary event, e.g. `data.currencyCode`, or in XDM when it is about the result. */
  readonly path: string;
  /** Stable, e.g. `not-a-date`, `not-in-enum`, `not-a-phone`, `shrunk`, `primary-fallback`. */
  readonly code: string;
  /** A sentence for the integration engineer; without personal data. */
  readonly message: string;
}

/** What the mapping works from besides the event. */
export interface MappingContext {
  readonly source: Pick<
    SourceConfig,
    'name' | 'timezone' | 'country' | 'testEvents' | 'unmapped' | 'program' | 'fields' | 'overrides'
  >;
  readonly destination: Pick<
    DestinationConfig,
    'format' | 'identity' | 'tenant' | 'schemaFeatures' | 'profile'
  >;
  /** Epoch ms at which the relay received the event. */
  readonly receivedAt: number;
  /** Added to `_id` after a replay as new; usually empty. */
  readonly idSuffix: string;
}

/** Attributes that an event tells of a customer: XDM path in dots (`loyalty.points`, `identityMap.Email`) → value. */
export interface ProfileChange {
  /** Event time, epoch ms: what last-write-wins goes by. */
  readonly at: number;
  readonly attributes: ReadonlyMap<string, JsonValue>;
}

export type Mapped =
  | {
      readonly outcome: 'ignored';
      /** `test-event`, `no-identity`, `unmapped`; the delivery adds `customer-deleted`. */
      readonly reason: string;
      /** The customer was deleted: there is nothing to send, but what is kept of the lane is erased. */
      readonly erase: boolean;
      readonly notes: readonly MappingNote[];
    }
  | {
      readonly outcome: 'messages';
      /** `_id` of every message of this event: `cap-` and 40 hex, and the suffix. */
      readonly id: string;
      /** xdmEntity of the ExperienceEvent; for `format: raw` the flat Capillary event. */
      readonly event: JsonObject;
      /** JSON text of `event`, where that was made to measure it. */
      readonly json?: string;
      readonly profile?: ProfileChange;
      /** `format: raw`: what the profile flow gets as a merge, for Data Prep to take the profile's fields from. */
      readonly upsert?: JsonObject;
      /** The customer was deleted: erase what is kept of the lane. */
      readonly erase: boolean;
      readonly notes: readonly MappingNote[];
      /** Fields of the payload that nothing read; undefined where all of it goes on (`format: raw`) and for a deletion. */
      readonly unread?: Unread;
    }
  /** An override failed: a dead letter, to be replayed when the configuration is mended. */
  | {
      readonly outcome: 'failed';
      readonly reason: 'mapping';
      /** Source, event, part, and where in the expression; no value of the event. */
      readonly detail: string;
      readonly erase: false;
      readonly notes: readonly MappingNote[];
    };

/** Maps one event. Pure: the same event and context give the same result. A promise only where the source overrides the mapping. */
export type MapEvent = (event: CapillaryEvent, context: MappingContext) => Mapped | Promise<Mapped>;
