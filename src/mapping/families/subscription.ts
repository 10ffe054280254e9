import { toTimestamp } from '../../capillary/times.ts';
import { attributeTime } from '../event-time.ts';
import type { Reader } from '../reader.ts';
import type { Draft, FamilyInput, FamilyResult } from './family.ts';

/**
 * XDM's channel by Capillary's, in lower-case letters. Capillary calls text messages `MOBILE` too.
 */
const CHANNELS: ReadonlyMap<string, string> = new Map([
  ['sms', 'sms'],
  ['mobile', 'sms'],
  ['email', 'email'],
  ['whatsapp', 'whatsApp'],
  ['push', 'push'],
  ['mobilepush', 'push'],
  ['webpush', 'push'],
  ['web', 'push'],
  ['voice', 'call'],
  ['call', 'call'],
]);

const ANSWERS: ReadonlyMap<string, 'y' | 'n'> = new Map([
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
    attributes: consentAttributes(input, subscriptions),
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
 * The consents of an event, `val` and `time` always together (docs/platforms/adobe.md#consents).
 * XDM has one answer per channel, Capillary one per account and business unit: if they differ, the
 * opt-out counts.
 */
function consentAttributes(input: FamilyInput, subscriptions: readonly Reader[]): Draft {
  const { event, context, notes } = input;
  const answers = new Map<string, 'y' | 'n'>();
  for (const subscription of subscriptions) {
    const consent = consentOf(subscription, input);
    if (consent === undefined) {
      continue;
    }
    const before = answers.get(consent.channel);
    if (before !== undefined && before !== consent.val) {
      notes.add(`${subscription.path}.currentStatus`, 'opt-out-counts');
    }
    answers.set(consent.channel, before === 'n' ? 'n' : consent.val);
  }
  if (answers.size > 0 && !context.destination.schemaFeatures.consents) {
    notes.add('consents.marketing', 'unknown-field');
    return {};
  }
  const time = toTimestamp(attributeTime(event, context));
  return Object.fromEntries(
    [...answers].flatMap(([channel, val]) => [
      [`consents.marketing.${channel}.val`, val],
      [`consents.marketing.${channel}.time`, time],
    ]),
  );
}

function consentOf(
  subscription: Reader,
  { notes }: FamilyInput,
): { readonly channel: string; readonly val: 'y' | 'n' } | undefined {
  const channel = wordOf(subscription.text('channel'));
  const status = wordOf(subscription.text('currentStatus'));
  if (channel === undefined || status === undefined) {
    return undefined;
  }
  if (wordOf(subscription.text('priority'))?.startsWith('trans') === true) {
    notes.add(`${subscription.path}.priority`, 'not-marketing');
    return undefined;
  }
  const known = CHANNELS.get(channel);
  const val = ANSWERS.get(status);
  if (known === undefined) {
    notes.add(`${subscription.path}.channel`, 'unknown-field');
  }
  if (val === undefined) {
    notes.add(`${subscription.path}.currentStatus`, 'not-in-enum');
  }
  return known === undefined || val === undefined ? undefined : { channel: known, val };
}

/** `OPT_OUT`, `Opt-out` and `optout` are the same word. */
function wordOf(text: string | undefined): string | undefined {
  return text?.toLowerCase().replaceAll(/[^a-z]/g, '');
}
