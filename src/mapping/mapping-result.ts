import type { MissingReason, RequestIds } from '../capillary/enricher.ts';
import type { Entities } from '../capillary/entities.ts';
import type { IdentifierKind } from '../capillary/identifiers.ts';
import type { JsonObject, JsonValue } from '../capillary/json.ts';
import type { DestinationConfig, SourceConfig } from '../config/config-schema.ts';
import type { ProgramCatalogue } from './program-catalogue.ts';

/** `dropped`: left out. `repaired`: replaced. `truncated`: shortened to a limit, or near it. */
export type NoteKind = 'dropped' | 'repaired' | 'truncated';

/** What the mapping left out or changed, and why. Contains paths and codes, never values. */
export interface MappingNote {
  readonly kind: NoteKind;
  /**
   * A path in the Capillary event, e.g. `data.currencyCode`, in what the API said, e.g.
   * `entities.customer.firstName`, or in XDM if the note is about the result.
   */
  readonly path: string;
  /** Stable, e.g. `not-a-date`, `not-in-enum`, `not-a-phone`, `shrunk`, `primary-fallback`. */
  readonly code: string;
  /** For the integration engineer; without personal data. */
  readonly message: string;
  /** The end of the message that the code does not say; stored with the event. */
  readonly detail?: string;
}

/** The input of the mapping in addition to the event. */
export interface MappingContext {
  readonly source: Pick<
    SourceConfig,
    | 'name'
    | 'timezone'
    | 'country'
    | 'testEvents'
    | 'unmapped'
    | 'program'
    | 'bills'
    | 'labels'
    | 'contacts'
    | 'identity'
    | 'fields'
    | 'overrides'
  >;
  readonly destination: Pick<
    DestinationConfig,
    'format' | 'identity' | 'tenant' | 'schemaFeatures' | 'profile' | 'consents'
  >;
  /** What is known about loyalty programs; mapping an event adds what the event says. */
  readonly programs: ProgramCatalogue;
  /** Epoch ms at which the relay received the event. */
  readonly receivedAt: number;
  /** Added to `_id` by a replay as new; usually empty. */
  readonly idSuffix: string;
  /** What Capillary's API said about the event's customer and bill; absent: it was not asked. */
  readonly entities?: Entities;
  /**
   * The event was sent before without the lines of its bill: it is mapped to a correction, which is
   * no second purchase.
   */
  readonly isCorrection?: boolean;
  /** What the event wants of the API and has not, with the reason; the event is marked with it. */
  readonly incomplete?: {
    readonly customer?: MissingReason | undefined;
    readonly bill?: MissingReason | undefined;
    readonly requestIds?: RequestIds | undefined;
  };
  /** Absent: no contact counts as shared. */
  readonly isShared?: IsShared;
  /** Whether to look for unread fields of the next event of a name; absent: of every event. */
  readonly isExamined?: (eventName: string) => boolean;
}

/**
 * True for a normalized contact that too many customers of an organisation have: it is an identity
 * of none of them, but stays a contact attribute.
 */
export type IsShared = (orgId: number, kind: IdentifierKind, id: string) => boolean;

/** Fields of an event's payload that the mapping did not read. */
export interface UnreadFields {
  /**
   * `generic`: `data` is sent as text if the destination has a tenant. `override`: the built-in
   * mapping, then the source's expression.
   */
  readonly mapping: 'own' | 'generic' | 'override';
  /**
   * `data.a.b[].c` → one of the values received. Keys that look like data are `*`; custom fields
   * are listed under their key: `data.customFields[k]`.
   */
  readonly fields: ReadonlyMap<string, PayloadScalar>;
}

export type PayloadScalar = string | number | boolean;

/**
 * Profile attributes and facts that an event sets: XDM path (`loyalty.tier`) or path of a fact
 * (`@p[973].points`) → value; null clears one.
 */
export interface ProfileChange {
  /** Event time in epoch ms: the newest value of an attribute wins. */
  readonly at: number;
  readonly attributes: ReadonlyMap<string, JsonValue>;
}

/**
 * What Capillary's API says about the customer: attributes and facts with the time of the fetch as
 * their version.
 */
export interface ProfileSnapshot extends ProfileChange {
  /**
   * The lane of the customer whose it is: the event's own one, or that of the customer into whom it
   * was merged. Applied only while it is that of the state's customer or of the event's.
   */
  readonly lane: string;
}

/** The result of mapping one event. */
export type MappingResult =
  | {
      readonly outcome: 'ignored';
      /** `test-event`, `no-identity`, `unmapped`; delivery adds `customer-deleted`. */
      readonly reason: string;
      /** The customer was deleted: nothing is sent, but the stored data of the lane is erased. */
      readonly erase: boolean;
      /** Epoch ms of the deletion if the API said it; absent: that of the event. */
      readonly erasedAt?: number;
      readonly notes: readonly MappingNote[];
    }
  | {
      readonly outcome: 'messages';
      /** `_id` of every message of this event: `cap-`, 40 hex digits and the suffix. */
      readonly id: string;
      /** xdmEntity of the ExperienceEvent; for `format: raw` the flat Capillary event. */
      readonly event: JsonObject;
      /** JSON text of `event`; absent for `format: raw`. */
      readonly json?: string;
      /** UTF-8 bytes of `json`. */
      readonly bytes?: number;
      readonly profile?: ProfileChange;
      readonly snapshot?: ProfileSnapshot;
      /**
       * The API says that the event's customer was merged into another: while the event's lane is
       * still the customer's own, no profile record is sent.
       */
      readonly isMerged?: true;
      /**
       * `format: raw`: the upsert for the profile flow, from which Data Prep reads the profile
       * fields.
       */
      readonly upsert?: JsonObject;
      /** The customer was deleted: the stored data of the lane is erased. */
      readonly erase: boolean;
      /** Epoch ms of the deletion if the API said it; absent: that of the event. */
      readonly erasedAt?: number;
      readonly notes: readonly MappingNote[];
      /**
       * Undefined for a deletion, in `format: raw`, which sends the whole payload, and if the event
       * was not examined.
       */
      readonly unread?: UnreadFields;
    }
  /**
   * An override failed. The event becomes a dead letter and can be replayed after the configuration
   * is fixed.
   */
  | {
      readonly outcome: 'failed';
      readonly reason: 'mapping';
      /** Source, event, part and position in the expression; no value of the event. */
      readonly detail: string;
      readonly erase: false;
      readonly notes: readonly MappingNote[];
    };
