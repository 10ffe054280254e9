import { isNewer } from './attribute-version.ts';
import type { Fact, FactGroups, FactsByCustomer } from './facts.ts';
import { mergedBefore } from './merged-before.ts';

/** An answer for one channel of XDM. */
export interface ChannelAnswer {
  readonly customer: FactGroups;
  /** Capillary's word for the channel. */
  readonly word: string;
  readonly fact: Fact;
  /** From Capillary's API, for all accounts. */
  readonly isSnapshot: boolean;
}

/** An answer that counts, and the epoch ms since which the customer is known to have given it. */
export interface CurrentAnswer extends ChannelAnswer {
  readonly time: number;
}

/**
 * The answers for one channel that count: what a snapshot says replaces every older answer of the
 * customer and of those who were merged into it before. An opt-out that a snapshot states ends with
 * a newer answer of an event, unless another account had opted out.
 */
export function currentAnswers(
  answers: readonly ChannelAnswer[],
  customers: FactsByCustomer,
): readonly CurrentAnswer[] {
  const newest = new Map<FactGroups, Fact>();
  for (const { customer, fact } of answers.filter(({ isSnapshot }) => isSnapshot)) {
    const known = newest.get(customer);
    newest.set(customer, known === undefined || isNewer(fact, known) ? fact : known);
  }
  if (newest.size === 0) {
    return answers.map((answer) => ({ ...answer, time: answer.fact.at }));
  }
  const snapshots = [...newest].map(([customer, fact]) => ({
    fact,
    of: new Set([customer, ...mergedBefore(customer, fact, customers)]),
  }));
  const isReplaced = ({ customer, fact }: ChannelAnswer): boolean =>
    snapshots.some(({ fact: snapshot, of }) => of.has(customer) && !isNewer(fact, snapshot));
  const replaced = answers.filter(isReplaced);
  const left = answers.filter((answer) => !isReplaced(answer));
  return left
    .filter((answer) => !isEnded(answer, left, replaced))
    .map((answer) => ({ ...answer, time: answer.isSnapshot ? since(answer, replaced) : answer.fact.at }));
}

/** True for an opt-out of a snapshot that an event has revoked since. */
function isEnded(
  { isSnapshot, word, fact }: ChannelAnswer,
  left: readonly ChannelAnswer[],
  replaced: readonly ChannelAnswer[],
): boolean {
  if (!isSnapshot || fact.value !== 'n') {
    return false;
  }
  const newer = left.filter((other) => !other.isSnapshot && other.word === word && isNewer(other.fact, fact));
  return (
    newer.length > 0 &&
    !replaced.some(
      (other) =>
        !other.isSnapshot &&
        other.word === word &&
        other.fact.value === 'n' &&
        newer.every(({ fact: { item } }) => item !== other.fact.item),
    )
  );
}

/** The last event that gave the same answer, if no other answer came after it; else the fetch. */
function since({ fact }: ChannelAnswer, replaced: readonly ChannelAnswer[]): number {
  const last = (isSame: boolean): number =>
    Math.max(
      0,
      ...replaced
        .filter((other) => (other.fact.value === fact.value) === isSame && !(isSame && other.isSnapshot))
        .map((other) => other.fact.at),
    );
  return last(true) > last(false) ? last(true) : fact.at;
}
