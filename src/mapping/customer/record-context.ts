import type { IdentityRules } from '../identity-rules.ts';
import type { MappingContext } from '../mapping-result.ts';
import type { Programs } from '../program-catalogue.ts';
import type { AttributeVersion } from './customer-state.ts';
import type { Dated } from './program-standing.ts';

/** What a record depends on besides the state of the customer. */
export interface RecordContext {
  readonly source: Pick<MappingContext['source'], 'program'>;
  readonly destination: Pick<
    MappingContext['destination'],
    'identity' | 'tenant' | 'schemaFeatures' | 'consents'
  >;
  /** The programs of the customer's organisation. */
  readonly programs: Programs;
  /** Absent: every stored identity is sent as it is. */
  readonly rules?: IdentityRules;
}

/** Collects the attributes of a record that are computed from facts. */
export interface DerivedAttributes {
  readonly attributes: Map<string, AttributeVersion>;
  set(path: string, value: Dated | undefined): void;
}
