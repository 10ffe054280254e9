import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyToCustomer } from '../../../src/mapping/customer/apply-to-customer.ts';
import { contextOf, eventWith, messagesOf } from '../mapping-rig.ts';
import { about, identitiesOf, lastRecord, mergeInto, send, step, type Step } from './customer-events.ts';

const PHONE = '919845099999';
const EMAIL = 'sita@example.org';
const POINTS = { loyaltyProgramId: 1, programCurrentPoints: 5 };

const added = (customer: number, at: number, instore: object): Step =>
  step('customerAdded', at, about(customer, instore));
const points = (customer: number, at: number, instore: object = {}): Step =>
  step('pointsIssued', at, about(customer, instore, POINTS));
const release = (at: number, ...profiles: object[]): Step =>
  step('identifierReleased', at, {
    mergeEventId: 'm-1',
    releasedAt: 1_794_000_000_000 + at * 1_000,
    profiles,
  });

const VICTIM = added(7002, 2, { mobile: PHONE, email: EMAIL, externalId: 'X-7002', cardnumber: 'C-7002' });
const SURVIVOR = added(7001, 1, { mobile: '919845011111', email: 'ram@example.org' });
const MERGE = mergeInto(7001, 7002, 3);
const NEW_OWNER = added(7003, 5, { mobile: PHONE });

describe('a release of identifiers', () => {
  it.each([
    ['that are named', release(4, { customerId: 7002, instore: { mobile: PHONE, email: EMAIL } })],
    ['that are not named', release(4, { customerId: 7002 })],
    [
      'of a customer that only customerIdentifiers names',
      step('identifierReleased', 4, { mergeEventId: 'm', ...about(7002, {}) }),
    ],
  ])(
    '%s leaves the survivor neither phone nor e-mail, and the new owner has the phone',
    async (_what, released) => {
      const sent = await send([SURVIVOR, VICTIM, MERGE, released, NEW_OWNER, points(7001, 6)]);
      const [ofRelease, ofOwner, ofSurvivor] = sent.slice(3);

      expect(ofRelease?.event.identityMap).toEqual({
        capillaryId: [{ id: '7002', authenticatedState: 'ambiguous', primary: true }],
      });
      const text = JSON.stringify([ofRelease, ofSurvivor]);
      expect(text).not.toContain(PHONE);
      expect(text).not.toContain(EMAIL);
      expect(ofSurvivor?.record).toMatchObject({
        mobilePhone: { number: '+919845011111' },
        personalEmail: { address: 'ram@example.org' },
      });
      expect(identitiesOf(ofOwner!.record)).toEqual([`Phone +${PHONE}`, 'capillaryId 7003']);
      expect(ofOwner?.record['mobilePhone']).toEqual({ number: `+${PHONE}` });
    },
  );

  it('takes the contact attributes of a victim out of a survivor without its own', async () => {
    const steps = [added(7001, 1, {}), VICTIM, MERGE, release(4, { customerId: 7002 }), points(7001, 6)];
    const { record, identities } = await lastRecord(steps);

    expect(identities).toEqual(['capillaryId 7001']);
    expect(record['mobilePhone']).toBeUndefined();
    expect(record['personalEmail']).toBeUndefined();
    expect(record).not.toHaveProperty(['loyalty', 'loyaltyID']);
  });

  it('takes out what the survivor was given by the merge, also if an older event says so late', async () => {
    const given = added(7001, 3.5, { mobile: PHONE, email: EMAIL, externalId: 'X-7002' });
    for (const released of [
      release(4, { customerId: 7002 }),
      release(4, { userId: 7002, mobile: PHONE, email: EMAIL, externalId: 'X-7002' }),
    ]) {
      for (const steps of [
        [VICTIM, MERGE, given, released],
        [VICTIM, MERGE, released, given],
        [released, given, VICTIM, MERGE],
        [given, MERGE, released, VICTIM, released],
      ]) {
        const { record, identities } = await lastRecord([...steps, points(7001, 6)]);
        expect(identities).toEqual(['capillaryId 7001']);
        expect(record['mobilePhone']).toBeUndefined();
      }
    }
  });

  it('frees what the customer had before a change as well', async () => {
    const changed = added(7002, 3, { mobile: '919845022222' });
    const given = added(7001, 3.5, { mobile: PHONE });
    for (const steps of [
      [VICTIM, changed, MERGE, given, release(4, { customerId: 7002 })],
      [release(4, { customerId: 7002 }), changed, VICTIM, MERGE, given],
    ]) {
      const { identities } = await lastRecord([...steps, points(7001, 6)]);
      expect(identities).toEqual(['capillaryId 7001']);
    }
  });

  it('does not concern what a newer event says', async () => {
    const again = points(7001, 9, { mobile: PHONE });
    const { identities } = await lastRecord([
      SURVIVOR,
      VICTIM,
      MERGE,
      again,
      release(4, { customerId: 7002 }),
    ]);

    expect(identities).toContain(`Phone +${PHONE}`);
  });

  it('of named identifiers leaves the others', async () => {
    const { record, identities } = await lastRecord([
      VICTIM,
      release(4, { customerId: 7002, mobile: PHONE }),
    ]);

    expect(identities).toEqual([`Email ${EMAIL}`, 'capillaryId 7002', 'loyaltyId X-7002']);
    expect(record['loyalty']).toEqual({ loyaltyID: ['X-7002', 'C-7002'] });
  });

  it('can name several customers', async () => {
    const other = added(7004, 2, { email: 'gita@example.org' });
    const released = release(
      4,
      { customerId: 7001, role: 'SURVIVOR' },
      { customerId: 7002 },
      { customerId: 7004 },
    );
    const steps = [SURVIVOR, VICTIM, other, MERGE, mergeInto(7001, 7004, 3), released, points(7001, 6)];

    expect((await lastRecord(steps)).identities).toEqual([
      'Email ram@example.org',
      'Phone +919845011111',
      'capillaryId 7001',
    ]);
  });

  it('sends no identifier in raw format either', async () => {
    const [sent] = await send([release(4, { customerId: 7002, mobile: PHONE, email: EMAIL })], {
      destination: { format: 'raw' },
    });
    expect(JSON.stringify(sent)).not.toMatch(/9845099999|sita@/u);
    expect(sent?.event['data']).toEqual({
      customerIdentifiers: { customerId: '7002' },
      mergeEventId: 'm-1',
      releasedAt: 1_794_000_004_000,
    });
  });

  it('gives the same record in any order, with any repetition', async () => {
    const steps = [
      SURVIVOR,
      VICTIM,
      MERGE,
      release(4, { customerId: 7002 }),
      added(7002, 3, { mobile: '919845022222' }),
      added(7001, 3.5, { mobile: PHONE }),
    ];
    const expected = await lastRecord([...steps, points(7001, 6)]);

    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...steps, ...steps], { minLength: 12 }), async (order) => {
        const { record, identities } = await lastRecord([...order, points(7001, 6)]);
        expect(identities).toEqual(expected.identities);
        expect(record).toEqual(expected.record);
      }),
      { numRuns: 60 },
    );
    expect(expected.identities).toEqual(['Email ram@example.org', 'capillaryId 7001']);
  });
});

const MOBILE_CHANGE = { fieldName: 'mobile', source: 'INSTORE', fieldType: 'StandardField' };
const changed = (at: number, change: object, instore: object = {}): Step =>
  step('customerUpdated', at, about(7001, instore, { updatedFields: [{ ...MOBILE_CHANGE, ...change }] }));

describe('a changed identifier', () => {
  it.each(['', '  ', null])('that is %j now is cleared, by event time', async (currentValue) => {
    const cleared = changed(3, { previousValue: '9845011111', currentValue });
    for (const steps of [
      [SURVIVOR, cleared],
      [cleared, SURVIVOR],
    ]) {
      const { record, identities } = await lastRecord(steps);
      expect(identities).toEqual(['Email ram@example.org', 'capillaryId 7001']);
      expect(record['mobilePhone']).toBeUndefined();
    }
    const again = await lastRecord([SURVIVOR, cleared, added(7001, 4, { mobile: '919845011111' })]);
    expect(again.record['mobilePhone']).toEqual({ number: '+919845011111' });
  });

  it.each(['Mobile', 'MOBILE_NUMBER', 'phone'])(
    'leaves the previous one, if it is called %s',
    async (fieldName) => {
      const change = changed(3, { fieldName, previousValue: '919845011111', currentValue: '919845022222' });
      const sent = await send([SURVIVOR, change]);

      expect(identitiesOf(sent[1]!.record)).toContain('Phone +919845022222');
      expect(sent[1]?.record['mobilePhone']).toEqual({ number: '+919845022222' });
      for (const sender of [sent[1]!.record, sent[1]!.event]) {
        expect(identitiesOf(sender)).not.toContain('Phone +919845011111');
      }
    },
  );

  it('leaves the previous one also if the event still has it, or it arrives late', async () => {
    const change = changed(
      3,
      { previousValue: '919845011111', currentValue: '' },
      { mobile: '919845011111' },
    );
    for (const steps of [
      [SURVIVOR, change],
      [change, SURVIVOR, points(7001, 2, { mobile: '919845011111' })],
    ]) {
      expect((await lastRecord(steps)).identities).not.toContain('Phone +919845011111');
    }
    expect(identitiesOf((await send([change]))[0]!.event)).toEqual(['capillaryId 7001']);
  });

  it.each([
    ['email', 'email', 'Ram@Example.org', 'Email ram@example.org'],
    ['external_id', 'externalId', 'X-1', 'loyaltyId X-1'],
    ['cardnumber', 'cardnumber', 'C-1', 'card C-1'],
  ])('of the kind %s is no identity any more', async (fieldName, field, previousValue, identity) => {
    const namespaces = {
      customerId: 'capillaryId',
      email: 'Email',
      externalId: 'loyaltyId',
      cardNumber: 'card',
    };
    const context = { destination: { identity: { namespaces } } };
    const before = added(7001, 1, { [field]: previousValue });
    const change = changed(3, { fieldName, previousValue, currentValue: '' });

    expect((await lastRecord([before], context)).identities).toContain(identity);
    const { record, identities } = await lastRecord([before, change], context);
    expect(identities).toEqual(['capillaryId 7001']);
    expect(record['personalEmail'] ?? record['loyalty']).toBeUndefined();
  });

  it('of a linked account is cleared in that account', async () => {
    const account = {
      customerIdentifiers: {
        customerId: 7001,
        web_engage: {
          accounts: [
            {
              accountId: '7',
              identifiers: [{ identifierType: 'email', identifierValue: 'web@example.org' }],
            },
          ],
        },
      },
    };
    const change = changed(3, {
      fieldName: 'email',
      source: 'WEB_ENGAGE',
      accountId: '7',
      previousValue: null,
      currentValue: '',
    });
    const { identities } = await lastRecord([
      SURVIVOR,
      step('customerUpdated', 2, { ...account, firstName: 'Ram' }),
      change,
    ]);

    expect(identities).toEqual(['Email ram@example.org', 'Phone +919845011111', 'capillaryId 7001']);
  });

  it('in an extended field of the brand is none', async () => {
    const change = changed(3, {
      fieldType: 'ExtendedField',
      previousValue: '919845011111',
      currentValue: '',
    });
    expect((await lastRecord([SURVIVOR, change, points(7001, 4)])).identities).toContain(
      'Phone +919845011111',
    );
  });

  it('that was blank and is blank clears nothing that the event states', async () => {
    const change = changed(3, { previousValue: '', currentValue: '' }, { mobile: '919845011111' });
    expect((await lastRecord([SURVIVOR, change])).identities).toContain('Phone +919845011111');
    const alone = changed(3, { previousValue: '', currentValue: '' });
    expect((await lastRecord([SURVIVOR, alone])).identities).not.toContain('Phone +919845011111');
  });

  it('that is written differently is the same', async () => {
    const change = changed(
      3,
      { previousValue: '9845011111', currentValue: '919845011111' },
      { mobile: '919845011111' },
    );
    expect((await lastRecord([SURVIVOR, change])).identities).toContain('Phone +919845011111');
  });
});

describe('identifiers of an event', () => {
  it('that are blank are cleared', async () => {
    const blank = step('customerUpdated', 3, about(7001, { mobile: '', email: ' ' }, { firstName: 'Ram' }));
    const { record, identities } = await lastRecord([SURVIVOR, blank]);

    expect(identities).toEqual(['capillaryId 7001']);
    expect(record['mobilePhone'] ?? record['personalEmail']).toBeUndefined();
  });

  it('that are blank after a merge are cleared of both customers, in any order', async () => {
    const blank = step(
      'customerUpdated',
      5,
      about(7001, { mobile: '', email: '', externalId: '' }, { firstName: 'Ram' }),
    );
    const steps = [SURVIVOR, VICTIM, MERGE, blank];
    for (const order of [steps, [blank, MERGE, SURVIVOR, VICTIM], [VICTIM, blank, SURVIVOR, MERGE]]) {
      const { record, identities } = await lastRecord([...order, points(7001, 6)]);
      expect(identities).toEqual(['capillaryId 7001']);
      expect(record).not.toHaveProperty('mobilePhone');
      expect(record).not.toHaveProperty('personalEmail');
      expect(record['loyalty']).toMatchObject({ loyaltyID: ['C-7002'] });
    }
    const chain = [VICTIM, mergeInto(7004, 7002, 3), mergeInto(7001, 7004, 4), blank];
    expect((await lastRecord(chain)).identities).toEqual(['capillaryId 7001']);
  });

  it('that were blank before a merge leave the victim its own, and so does an older blank', async () => {
    const blank = step('customerUpdated', 2.5, about(7001, { mobile: '' }, { firstName: 'Ram' }));
    const { identities } = await lastRecord([SURVIVOR, VICTIM, blank, MERGE, points(7001, 6)]);
    expect(identities).toContain(`Phone +${PHONE}`);

    const later = step('customerUpdated', 5, about(7001, { mobile: '' }, { firstName: 'Ram' }));
    const again = points(7002, 6, { mobile: PHONE });
    expect((await lastRecord([VICTIM, MERGE, later, again])).identities).toContain(`Phone +${PHONE}`);
  });

  it('that are fewer than before, or null, clear nothing', async () => {
    const before = added(7001, 1, { mobile: '919845011111', externalId: 'X-1', cardNumbers: ['C-1', 'C-2'] });
    const fewer = step(
      'customerUpdated',
      3,
      about(7001, { mobile: null, email: null, cardNumbers: ['C-3'] }, { firstName: 'Ram' }),
    );
    const { record, identities } = await lastRecord([before, fewer]);

    expect(identities).toEqual(['Phone +919845011111', 'capillaryId 7001', 'loyaltyId X-1']);
    expect(record['loyalty']).toEqual({ loyaltyID: ['X-1', 'C-1', 'C-2', 'C-3'] });
  });
});

it('what is kept of identities that are gone is bounded', async () => {
  const context = contextOf();
  let state: string | undefined;
  for (let index = 0; index < 450; index += 1) {
    const [previousValue, currentValue] = [`u${index - 1}@example.org`, `u${index}@example.org`];
    const isNamed = index % 2 === 0;
    const data = {
      customerIdentifiers: { customerId: 7, instore: { email: currentValue } },
      firstName: 'A',
      updatedFields: isNamed ? [{ fieldName: 'email', previousValue, currentValue }] : [],
    };
    const event = eventWith('customerUpdated', data, { createdAt: 1_794_000_000_000 + index });
    const prior = { lane: 'a', ownLane: 'a', state, victim: undefined };
    state = applyToCustomer(event, await messagesOf(event, context), prior, context).state;
  }
  expect(state?.match(/@gone\[/gu)).toHaveLength(200);
  expect(state?.match(/@was\[/gu)).toHaveLength(200);
});

it('what is gone is not stored in clear', async () => {
  const context = contextOf();
  let state: string | undefined;
  for (const { eventName, at, data } of [VICTIM, release(4, { customerId: 7002 })]) {
    const event = eventWith(
      eventName,
      { customerIdentifiers: null, ...data },
      { createdAt: 1_794_000_000_000 + at },
    );
    const lane = event.lane ?? '';
    const before = { lane, ownLane: lane, state, victim: undefined };
    state = applyToCustomer(event, await messagesOf(event, context), before, context).state;
  }
  expect(state).not.toMatch(/9845099999|sita|X-7002|C-7002/u);
  expect(state?.match(/@gone\[/gu)).toHaveLength(4);
});
