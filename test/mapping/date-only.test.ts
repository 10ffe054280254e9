import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/capillary/json.ts';
import { codesOf, contextOf, eventWith, messagesOf, recordOf } from './mapping-rig.ts';

const DAY = '2026-10-01';
/** The day in Asia/Kolkata. */
const START = '2026-09-30T18:30:00.000Z';
const END = '2026-10-01T18:29:59.999Z';
const TEN_O_CLOCK = Date.parse('2026-10-01T10:00:00+05:30');

/** Every date below the tenant of the event that the data becomes. */
async function datesOf(eventName: string, data: JsonObject): Promise<Record<string, string>> {
  const { event } = await messagesOf(eventWith(eventName, data, { createdAt: TEN_O_CLOCK }));
  const dates: Record<string, string> = {};
  JSON.stringify(event['_acme'], (key, value: unknown) => {
    if (typeof value === 'string' && /T\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)) dates[key] = value;
    return value;
  });
  return dates;
}

describe('a date without a time', () => {
  it.each<[string, JsonObject, Record<string, string>]>([
    [
      'promotionEarned',
      {
        promotionStartDate: DAY,
        promotionEndDate: DAY,
        promotionEarnedDate: DAY,
        promotionEarnedExpiryDate: DAY,
      },
      { startDate: START, endDate: END, earnedDate: START, expiryDate: END },
    ],
    [
      'promotionIssued',
      { promotionIssuedDate: DAY, promotionIssuedExpiryDate: DAY },
      { issuedDate: START, expiryDate: END },
    ],
    ['cartPromotionEarned', { issueDate: DAY, earnedTime: DAY }, { issuedDate: START, earnedDate: START }],
    [
      'CouponIssue',
      { coupons: [{ id: 7, issued_on: DAY, valid_till: DAY }] },
      { issuedDate: START, expiryDate: END },
    ],
    ['CouponRedeem', { coupon: { id: 7, redemptionDate: DAY } }, { redeemedDate: START }],
    [
      'streakCustomerEnrolment',
      { streakEnrolmentData: [{ streakId: 7, enrolledDate: DAY, startDate: DAY, endDate: DAY }] },
      { enrolledDate: START, startDate: START, endDate: END },
    ],
    ['tierDowngradeReminder', { scheduledDowngradeDate: DAY }, { scheduledDowngradeDate: END }],
    ['pointsExpiryReminder', { scheduledExpiryDate: DAY }, { expiryDate: END }],
    ['tierUpgraded', { tierExpiryDate: DAY }, { expiryDate: END }],
  ])('of %s is the start of the day, or its end if something ends then', async (name, data, dates) => {
    expect(await datesOf(name, data)).toEqual(dates);
  });

  it('never makes an event lie before what it reports', async () => {
    const { event } = await messagesOf(
      eventWith('promotionEarned', { promotionEarnedDate: DAY }, { createdAt: TEN_O_CLOCK }),
    );

    expect(event).toMatchObject({
      timestamp: new Date(TEN_O_CLOCK).toISOString(),
      _acme: { capillary: { promotion: { earnedDate: START } } },
    });
  });

  it('gives way to its twin in milliseconds', async () => {
    const data = { promotionEarnedDate: DAY, promotionEarnedDateInMillis: TEN_O_CLOCK };

    expect(await datesOf('promotionEarned', data)).toEqual({ earnedDate: '2026-10-01T04:30:00.000Z' });
  });

  it('is the start of the day for a bill and a registration', async () => {
    const registration = eventWith('customerAdded', { enteredAt: DAY }, { createdAt: TEN_O_CLOCK });
    const registered = await messagesOf(registration);
    const bill = await messagesOf(
      eventWith('transactionAdded', { billDate: DAY }, { createdAt: TEN_O_CLOCK }),
    );

    expect(recordOf(registration, registered, contextOf())['loyalty']).toEqual({ joinDate: START });
    expect([registered.event['timestamp'], bill.event['timestamp']]).toEqual([START, START]);
    expect([...codesOf(registered), ...codesOf(bill)]).toEqual([]);
  });

  it('of a custom field ends where the name of its path says so', async () => {
    const fields = {
      customFields: {
        since: 'loyalty.joinDate',
        paid_until: 'loyalty.tierExpiryDate',
      },
    };
    const context = contextOf({
      source: { fields },
      destination: { schemaFeatures: { loyalty2026: true } },
    });
    const customFields = Object.keys(fields.customFields).map((key) => ({ key, value: DAY }));
    const { profile } = await messagesOf(eventWith('customerUpdated', { customFields }), context);

    expect(profile?.attributes.get('loyalty.joinDate')).toBe(START);
    expect(profile?.attributes.get('loyalty.tierExpiryDate')).toBe(END);
  });
});
