import type { JsonValue } from '../../capillary/json.ts';
import { type Fact, factNamed } from './facts.ts';

/** A value with the time of the newest event that it is based on; null: no longer known. */
export interface Dated<Value extends JsonValue = JsonValue> {
  readonly value: Value;
  readonly at: number;
  readonly by: string;
}

export function numberFact(facts: readonly Fact[] | undefined, name: string): Dated<number> | undefined {
  const fact = factNamed(facts, name);
  return fact !== undefined && typeof fact.value === 'number'
    ? { value: fact.value, at: fact.at, by: fact.by }
    : undefined;
}
