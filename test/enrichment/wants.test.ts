import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/capillary/json.ts';
import { wantsOf } from '../../src/enrichment/wants.ts';
import { anEvent } from './enrich-rig.ts';

const SOURCE = { labels: { deleted: ['Deleted', 'Gone'] } };
const BOTH = { customers: true, transactions: true };

function wants(eventName: string, data: JsonObject = {}, customerId: string | undefined = '7') {
  return wantsOf(anEvent(eventName, data, customerId), BOTH, SOURCE);
}

describe('the customer is wanted by', () => {
  test.each(['customerAdded', 'customerUpdated', 'pointsIssued', 'tierUpgraded', 'loyaltyCustomerMerge'])(
    '%s',
    (eventName) => {
      expect(wants(eventName)).toEqual({ customerId: '7', isFlood: false });
    },
  );

  test.each(['pointsExpired', 'tierDowngraded', 'rewardExpiryReminder', 'communicationMessageOpened'])(
    '%s, which comes in floods',
    (eventName) => {
      expect(wants(eventName)).toEqual({ customerId: '7', isFlood: true });
    },
  );
});

describe('nothing is wanted by', () => {
  test.each<[what: string, eventName: string, data: JsonObject]>([
    ['a deletion', 'customerUpdated', { customerStatus: { currentLabel: 'gone' } }],
    [
      'a request that deleted a customer',
      'requestUpdated',
      { requestType: 'CUSTOMER', requestBaseType: 'DELETE', status: 'SUCCESS' },
    ],
    ['a release of identifiers', 'identifierReleased', {}],
    ['a change of a group', 'groupMemberAdded', {}],
    ['points of a group', 'pointsRedeemed', { entityInformation: { entityType: 'UserGroup2' } }],
  ])('%s', (_what, eventName, data) => {
    expect(wants(eventName, data)).toBeUndefined();
  });

  test('an event of nobody, and a sample', () => {
    expect(wantsOf(anEvent('promotionCreated'), BOTH, SOURCE)).toBeUndefined();
    const sample = { ...anEvent('transactionAdded', { transactionId: 9 }, '7'), isSample: true };
    expect(wantsOf(sample, BOTH, SOURCE)).toBeUndefined();
  });
});

describe('the bill is wanted by', () => {
  test.each<[what: string, eventName: string, data: JsonObject, types: readonly string[]]>([
    ['a purchase', 'transactionAdded', { billType: 'REGULAR' }, ['REGULAR']],
    ['a return', 'transactionUpdated', { billType: 'return ' }, ['RETURN']],
    ['an exchange', 'transactionAdded', { billType: 'MIXED' }, ['REGULAR', 'RETURN']],
    ['a bill without a type', 'transactionUpdated', {}, ['REGULAR', 'RETURN']],
    ['an older bill', 'retroBillAdded', { billType: 'REGULAR' }, ['REGULAR']],
    [
      'a bill outside the program',
      'notInterestedBillAdded',
      { billType: 'NOT_INTERESTED' },
      ['NOT_INTERESTED'],
    ],
    [
      'its return',
      'notInterestedBillAdded',
      { billType: 'NOT_INTERESTED_RETURN' },
      ['NOT_INTERESTED_RETURN'],
    ],
    ['one without a type', 'notInterestedBillAdded', {}, ['NOT_INTERESTED', 'NOT_INTERESTED_RETURN']],
  ])('%s', (_what, eventName, data, types) => {
    const wanted = wants(eventName, { ...data, transactionId: 3300500171 });
    expect(wanted?.bill).toEqual({ transactionId: '3300500171', types });
  });

  test.each<[what: string, eventName: string, data: JsonObject]>([
    ['a bill that has its lines', 'transactionAdded', { transactionId: 9, lineItems: [{ itemCode: 'A' }] }],
    ['a rejected bill', 'transactionRejected', { transactionId: 9 }],
    ['a bill without an id', 'transactionAdded', { transactionId: -1 }],
  ])('but not by %s', (_what, eventName, data) => {
    expect(wants(eventName, data)).toEqual({ customerId: '7', isFlood: false });
  });

  test('an anonymous bill, alone', () => {
    const event = anEvent('notInterestedBillAdded', { transactionId: 9, lineItems: [] });
    expect(wantsOf(event, BOTH, SOURCE)).toMatchObject({ bill: { transactionId: '9' } });
    expect(wantsOf(event, BOTH, SOURCE)?.customerId).toBeUndefined();
  });
});

test('the configuration can leave out either', () => {
  const event = anEvent('transactionAdded', { transactionId: 9 }, '7');
  expect(wantsOf(event, { customers: false, transactions: true }, SOURCE)?.customerId).toBeUndefined();
  expect(wantsOf(event, { customers: true, transactions: false }, SOURCE)).toEqual({
    customerId: '7',
    isFlood: false,
  });
  expect(wantsOf(event, { customers: false, transactions: false }, SOURCE)).toBeUndefined();
});
