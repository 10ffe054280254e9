import type { JsonValue } from '../../capillary/json.ts';

/** A value with the time of the newest event that it is based on; null: no longer known. */
export interface Dated<Value extends JsonValue = JsonValue> {
  readonly value: Value;
  readonly at: number;
  readonly by: string;
}
