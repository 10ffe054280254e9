/* How many customers have the same contact: e-mail address, phone number, external id or card. */

/** A contact without its value. */
export interface CountedContact {
  /**
   * Identifies the contact of one organisation: a non-negative safe integer, derived from a hash of
   * organisation, kind and value.
   */
  readonly key: number;
  /** `email`, `phone`, `externalId`, `cardNumber`. */
  readonly kind: string;
  /** The value for operators, with most of its characters masked. */
  readonly masked: string;
}

/** The contacts of one customer. */
export interface CustomerContacts {
  /** The lane of the customer. */
  readonly lane: string;
  readonly contacts: readonly CountedContact[];
}

/** Contacts of several customers to count, in order. */
export interface ContactCountRequest {
  readonly destination: string;
  /** The source that they came from. */
  readonly source: string;
  readonly customers: readonly CustomerContacts[];
  /** A contact that more customers than this have is shared; at least 1. */
  readonly limit: number;
}

export interface ContactCountAnswer {
  /** Keys of the contacts that are shared. */
  readonly shared: readonly number[];
  /** Those of `shared` that are so since this call. */
  readonly newlyShared: readonly number[];
  /** Contacts that were not counted, because the engine holds as many as it may. */
  readonly uncounted: number;
}

/** A contact that is shared from now on, whatever happens to the customers who had it. */
export interface SharedContact extends CountedContact {
  readonly destination: string;
  readonly source: string;
  /** Epoch ms at which one customer too many had it. */
  readonly at: number;
}

export interface SharedContactFilter {
  readonly destination?: string;
  readonly source?: string;
  /** Maximum number of contacts that are answered. */
  readonly limit: number;
}

/** The newest first, and how many there are in all. */
export interface SharedContacts {
  readonly contacts: readonly SharedContact[];
  readonly total: number;
}
