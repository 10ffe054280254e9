import type { JsonValue } from '../../capillary/json.ts';
import { isNewer } from './customer-state.ts';
import { type Fact, factNamed } from './facts.ts';

/** The group of the facts of one loyalty program; the key is the id of the program. */
export const PROGRAM_FACTS = 'p';

/** A value with the time of the newest event that it is based on. */
export interface Dated<Value extends JsonValue = JsonValue> {
  readonly value: Value;
  readonly at: number;
  readonly by: string;
}

/** A customer's standing in one program, as far as it is known. */
export interface ProgramStanding {
  readonly points?: Dated<number>;
  readonly lifetime?: Dated<number>;
  /** The tier's name is not stored: it can become known later. */
  readonly tier?: Dated<number>;
  readonly tierExpiry?: Dated<string>;
  /** When the customer reached the tier; absent after a downgrade. */
  readonly upgraded?: Dated<string>;
}

/**
 * The standing from the facts of one customer in one program:
 * - `points`, `lifetime`: as an event stated them
 * - `delta[<event>]`: points by which an event changed the balance without stating it
 * - `tier`, `tierExpiry`: number and expiry date of the tier
 * - `upgraded`, `downgraded`: date of the last change of the tier
 */
export function standingIn(facts: readonly Fact[] | undefined): ProgramStanding {
  const points = balanceIn(facts);
  const upgraded = textFact(facts, 'upgraded');
  const downgraded = factNamed(facts, 'downgraded');
  const isUpgradeValid =
    upgraded !== undefined && (downgraded === undefined || !isNewer(downgraded, upgraded));
  const [lifetime, tier] = [numberFact(facts, 'lifetime'), numberFact(facts, 'tier')];
  const tierExpiry = textFact(facts, 'tierExpiry');
  return {
    ...(points === undefined ? {} : { points }),
    ...(lifetime === undefined ? {} : { lifetime }),
    ...(tier === undefined ? {} : { tier }),
    ...(tierExpiry === undefined ? {} : { tierExpiry }),
    ...(isUpgradeValid ? { upgraded } : {}),
  };
}

/**
 * The stated balance and the changes after it. Without a stated balance the changes say nothing: a
 * balance is never guessed.
 */
function balanceIn(facts: readonly Fact[] | undefined): Dated<number> | undefined {
  const stated = numberFact(facts, 'points');
  if (stated === undefined || facts === undefined) {
    return stated;
  }
  let balance = stated;
  for (const { name, value, at, by } of facts) {
    if (name === 'delta' && typeof value === 'number' && isAfter({ at, by }, stated)) {
      balance = {
        value: balance.value + value,
        ...(isNewer({ at, by }, balance) ? { at, by } : { at: balance.at, by: balance.by }),
      };
    }
  }
  return balance;
}

/** True if `a` is newer than `b` and not of the same event. */
export function isAfter(a: Pick<Fact, 'at' | 'by'>, b: Pick<Fact, 'at' | 'by'>): boolean {
  return isNewer(a, b) && !(a.at === b.at && a.by === b.by);
}

function numberFact(facts: readonly Fact[] | undefined, name: string): Dated<number> | undefined {
  const fact = factNamed(facts, name);
  return fact !== undefined && typeof fact.value === 'number'
    ? { value: fact.value, at: fact.at, by: fact.by }
    : undefined;
}

function textFact(facts: readonly Fact[] | undefined, name: string): Dated<string> | undefined {
  const fact = factNamed(facts, name);
  return fact !== undefined && typeof fact.value === 'string'
    ? { value: fact.value, at: fact.at, by: fact.by }
    : undefined;
}
