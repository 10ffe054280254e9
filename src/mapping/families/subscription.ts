import { type Answer, answerFact } from '../customer/consents.ts';
import type { Reader } from '../reader.ts';
import type { Draft, Facts, FamilyInput, FamilyResult } from './family.ts';

const ANSWERS: ReadonlyMap<string, Answer> = new Map([
  ['optin', 'y'],
  ['optedin', 'y'],
  ['subscribed', 'y'],
  ['optout', 'n'],
  ['optedout', 'n'],
  ['unsubscribed', 'n'],
]);

/**
 * customerSubscription: opt-in and opt-out by channel (docs/platforms/capillary.md#subscriptions).
 */
export function mapSubscription(input: FamilyInput): FamilyResult {
  const subscriptions = input.data.list('subscriptions');
  return {
    eventType: 'loyalty.customerSubscription',
    tenant: { subscriptions: subscriptions.map(subscriptionFields) },
    facts: answerFacts(input, subscriptions),
  };
}

function subscriptionFields(subscription: Reader): Draft {
  return {
    channel: subscription.text('channel'),
    priority: subscription.text('priority'),
    previous: subscription.text('previousStatus'),
    current: subscription.text('currentStatus'),
    source: subscription.text('sourceName'),
    accountId: subscription.id('sourceAccountId'),
    orgUnitId: subscription.id('ouId'),
    orgUnitCode: subscription.id('ouCode'),
  };
}

/**
 * The answers of an event, one per channel, account and business unit. Of two answers of the same
 * account the opt-out counts, because the event does not say which one came last.
 */
function answerFacts(input: FamilyInput, subscriptions: readonly Reader[]): Facts {
  const { context, notes } = input;
  const answers = new Map<string, Answer>();
  for (const subscription of subscriptions) {
    const { fact, val } = answerOf(subscription, input) ?? {};
    if (fact === undefined || val === undefined) {
      continue;
    }
    const before = answers.get(fact);
    if (before !== undefined && before !== val) {
      notes.add(`${subscription.path}.currentStatus`, 'opt-out-counts');
    }
    answers.set(fact, before === 'n' ? 'n' : val);
  }
  if (answers.size > 0 && !context.destination.schemaFeatures.consents) {
    notes.add('consents.marketing', 'unknown-field');
    return [];
  }
  return [...answers];
}

function answerOf(
  subscription: Reader,
  { notes }: FamilyInput,
): { readonly fact: string | undefined; readonly val: Answer | undefined } | undefined {
  const channel = wordOf(subscription.text('channel'));
  const status = wordOf(subscription.text('currentStatus'));
  if (channel === undefined || status === undefined) {
    return undefined;
  }
  if (wordOf(subscription.text('priority'))?.startsWith('trans') === true) {
    notes.add(`${subscription.path}.priority`, 'not-marketing');
    return undefined;
  }
  const fact = answerFact(channel, {
    account: subscription.id('sourceAccountId'),
    orgUnit: subscription.id('ouId') ?? subscription.id('ouCode'),
  });
  const val = ANSWERS.get(status);
  if (fact === undefined) {
    notes.add(`${subscription.path}.channel`, 'unknown-field');
  }
  if (val === undefined) {
    notes.add(`${subscription.path}.currentStatus`, 'not-in-enum');
  }
  return { fact, val };
}

/** `OPT_OUT`, `Opt-out` and `optout` are the same word. */
function wordOf(text: string | undefined): string | undefined {
  return text?.toLowerCase().replaceAll(/[^a-z]/g, '');
}
