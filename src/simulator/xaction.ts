import { randomUUID } from 'node:crypto';
import type { XactionForm } from './fault-rule.ts';

function colon(now: number, index?: number): string {
  return [now, 1_750, 244, ...(index === undefined ? [] : [index])].join(':');
}

/** The xactionIds of one answer's items, in order: the forms seen live and some that nobody should trust (reference: adobe.md §2.5). */
export function xactionIds(form: XactionForm, count: number, now: number): readonly (string | undefined)[] {
  const batch = randomUUID();
  const of: Readonly<Record<XactionForm, (index: number) => string | undefined>> = {
    normal: (index) => `${batch}-${index}`,
    shuffled: (index) => `${batch}-${index}`,
    offByOne: (index) => `${batch}-${index + 1}`,
    missing: () => undefined,
    // Without an index; what follows its last dash must not be taken for one.
    uuid: () => randomUUID(),
    colon4: (index) => colon(now, index),
    colon3: () => colon(now),
    odd: (index) => `trx/${index}?`,
  };
  return Array.from({ length: count }, (_, index) => of[form](index));
}
