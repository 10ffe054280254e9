import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../src/capillary/json.ts';
import { applyToCustomer } from '../../../src/mapping/customer/apply-to-customer.ts';
import type { ProfileChange } from '../../../src/mapping/mapping-result.ts';
import { codesOf, contextOf, eventWith, fixtureEvent, messagesOf } from '../mapping-rig.ts';

const AT = 1_794_000_000_000;
const context = contextOf({ destination: { schemaFeatures: { consents: true } } });

function subscription(channel: string, currentStatus: string, more: object = {}) {
  return {
    channel,
    currentStatus,
    priority: 'BULK',
    ...more,
  };
}

async function answersOf(...subscriptions: object[]) {
  const event = eventWith('customerSubscription', { subscriptions } as never);
  const mapped = await messagesOf(event, context);
  const before = { lane: '1', ownLane: '1', state: undefined, victim: undefined };
  const { profile } = applyToCustomer(event, mapped, before, context);
  const { marketing = {} } = (profile?.entity['consents'] ?? {}) as { marketing?: object };
  const answers = Object.entries(marketing).map(([channel, { val }]: [string, { val: string }]) => [
    channel,
    val,
  ]);
  return { answers: Object.fromEntries(answers) as object, codes: codesOf(mapped) };
}

describe('a subscription', () => {
  it('is kept per channel, account and business unit', async () => {
    const { profile, notes } = await messagesOf(fixtureEvent('customerSubscription'), context);

    expect(
      Object.fromEntries([...(profile?.attributes ?? [])].filter(([path]) => path.startsWith('@consent'))),
    ).toEqual({
      '@consent[sms].a[01%2F310]': 'n',
      '@consent[email].a[01%2F310]': 'y',
      '@consent[whatsapp].a[01%2F310]': 'y',
    });
    expect(notes.map(({ code }) => code)).toEqual(['not-marketing', 'unknown-field', 'not-in-enum']);
  });

  it('does not change the profile if the schema has no consents, and notes it', async () => {
    const off = contextOf({ destination: { schemaFeatures: { consents: false } } });
    const mapped = await messagesOf(fixtureEvent('customerSubscription'), off);

    expect(mapped.profile).toBeUndefined();
    expect(codesOf(mapped)).toContain('unknown-field consents.marketing');
  });

  it.each([
    ['SMS', 'sms'],
    ['MOBILE', 'sms'],
    ['Email', 'email'],
    ['whatsapp', 'whatsApp'],
    ['MOBILE_PUSH', 'push'],
    ['mobilepush', 'push'],
    ['ios', 'push'],
    ['ANDROID', 'push'],
    ['WEB', 'push'],
    ['VOICE', 'call'],
  ])('of channel %s sets %s', async (channel, expected) => {
    expect(await answersOf(subscription(channel, 'Opt-Out'))).toEqual({
      answers: { [expected]: 'n' },
      codes: [],
    });
  });

  it.each([
    ['OPTOUT', 'OPTIN'],
    ['OPTIN', 'OPTOUT'],
  ])('of one account with %s and %s sets an opt-out', async (first, second) => {
    expect(await answersOf(subscription('SMS', first), subscription('SMS', second))).toEqual({
      answers: { sms: 'n' },
      codes: ['opt-out-counts data.subscriptions[1].currentStatus'],
    });
  });

  it.each([
    [subscription('SMS', 'OPTIN', { priority: 'TRANS' }), 'not-marketing data.subscriptions[0].priority'],
    [subscription('LINE', 'OPTIN'), 'unknown-field data.subscriptions[0].channel'],
    [subscription('WECHAT', 'OPTIN'), 'unknown-field data.subscriptions[0].channel'],
    [subscription('SMS', 'MAYBE'), 'not-in-enum data.subscriptions[0].currentStatus'],
    [subscription('SMS', 'OPTIN', { currentStatus: null }), undefined],
  ])('changes nothing if it is %j', async (one, code) => {
    expect(await answersOf(one)).toEqual({ answers: {}, codes: code === undefined ? [] : [code] });
  });
});

function sms(val: string, at: number): ProfileChange {
  return {
    at: AT + at,
    attributes: new Map<string, JsonValue>([
      ['identityMap.capillaryId', ['5']],
      ['consents.marketing.sms.val', val],
      ['consents.marketing.sms.time', new Date(AT + at).toISOString()],
    ]),
  };
}
function smsWithoutTime(val: string, at: number): ProfileChange {
  return {
    at: AT + at,
    attributes: new Map([['consents.marketing.sms.val', val]]),
  };
}

function profileOf(changes: readonly ProfileChange[], victim?: string) {
  let state: string | undefined;
  let marketing: unknown;
  for (const [index, change] of changes.entries()) {
    const isLast = index === changes.length - 1;
    const update = applyToCustomer(
      eventWith('customerSubscription', {}, { createdAt: change.at }),
      { outcome: 'messages', id: `cap-${index}`, event: {}, profile: change, erase: false, notes: [] },
      { lane: 'a', ownLane: 'a', state, victim: isLast && victim ? { lane: 'b', state: victim } : undefined },
      context,
    );
    state = update.state ?? state;
    marketing = (update.profile?.entity['consents'] as { marketing?: unknown } | undefined)?.marketing;
  }
  return { state, marketing };
}

describe('a consent on the profile', () => {
  const optOut = { sms: { val: 'n', time: '2026-11-06T21:20:00.009Z' } };

  it('keeps answer and time if an older event arrives later', () => {
    expect(profileOf([sms('n', 9), sms('y', 1)]).marketing).toEqual(optOut);
    expect(profileOf([sms('y', 1), sms('n', 9)]).marketing).toEqual(optOut);
  });

  it('of a source without times does not get the time of another answer', () => {
    const answer = { sms: { val: 'n' } };

    expect(profileOf([sms('y', 1), smsWithoutTime('n', 9)]).marketing).toEqual(answer);
    expect(profileOf([smsWithoutTime('n', 9), sms('y', 1)]).marketing).toEqual(answer);
    expect(profileOf([smsWithoutTime('y', 1), sms('n', 9), smsWithoutTime('y', 2)]).marketing).toEqual(
      optOut,
    );
  });

  it('of a merged customer fills a gap completely or not at all', () => {
    const victim = profileOf([sms('y', 20)]).state;
    const merge: ProfileChange = { at: AT + 30, attributes: new Map() };

    expect(profileOf([sms('n', 9), merge], victim).marketing).toEqual(optOut);
    expect(profileOf([smsWithoutTime('n', 9), merge], victim).marketing).toEqual({ sms: { val: 'n' } });
    expect(profileOf([merge], victim).marketing).toEqual({
      sms: { val: 'y', time: '2026-11-06T21:20:00.020Z' },
    });
  });
});
