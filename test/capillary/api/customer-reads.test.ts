import { describe, expect, test } from 'vitest';
import { aCustomer, CUSTOMER_ID, NEVER, readsOf } from './reads-rig.ts';

/** The customer that is read from an answer. */
async function read(changes: Record<string, unknown> = {}, options: Parameters<typeof readsOf>[1] = {}) {
  const { reads } = await readsOf(aCustomer(changes), options);
  const answer = await reads.customer(CUSTOMER_ID, NEVER);
  if (!answer.ok) throw new Error(answer.error.text);
  const { value } = answer;
  if (!('customer' in value) || value.customer === undefined) throw new Error(value.kind);
  return { kind: value.kind, customer: value.customer, program: value.customer.programs[0] };
}

describe('the whole customer', () => {
  test('is one call, with all that a profile can show', async () => {
    const { reads, calls } = await readsOf(aCustomer(), { headers: { 'X-CAP-REQUEST-ID': 'r-1' } });
    expect(await reads.customer(CUSTOMER_ID, NEVER)).toEqual({
      ok: true,
      at: 0,
      call: { call: 'GET /v2/customers/{id}', requestId: 'r-1', status: 200 },
      value: {
        kind: 'found',
        customer: {
          customerId: CUSTOMER_ID,
          firstName: 'Ines',
          lastName: 'Okafor',
          identifiers: [
            { kind: 'phone', value: '447700900321', account: 'instore' },
            { kind: 'email', value: 'ines@example.com', account: 'instore' },
            { kind: 'externalId', value: 'LOY-77120', account: 'instore' },
            { kind: 'cardNumber', value: 'NWC0001', account: 'instore' },
          ],
          joinedAt: Date.UTC(2024, 4, 2, 10, 15, 10),
          loyaltyType: 'loyalty',
          status: { label: 'Active', at: Date.UTC(2026, 0, 5, 11, 38, 20) },
          customFields: { preferred_store: 'nw.leeds.01' },
          extendedFields: { city: 'Leeds', gender: 'Female', dob: '1990-04-11T00:00:00Z' },
          subscriptions: [
            { channel: 'EMAIL', priority: 'BULK', isOptedIn: true },
            { channel: 'SMS', priority: 'BULK', isOptedIn: false },
          ],
          cards: [
            {
              number: 'NWC0001',
              series: 'Northwind Card',
              status: 'ACTIVE',
              expiresAt: Date.UTC(2029, 4, 1),
            },
          ],
          programs: [
            {
              programId: '4101',
              name: 'NorthwindDefault',
              isDefault: true,
              points: 145,
              lifetimePoints: 1_345,
              redeemed: 1_100,
              expired: 100,
              returned: 0,
              adjusted: 0,
              promised: 3,
              purchases: 1_834.5,
              tier: { number: 2, name: 'Silver' },
              tierExpiresAt: Date.UTC(2027, 8, 30, 23, 59, 59),
              nextTier: { number: 3, name: 'Gold' },
              upgradeGaps: [{ by: 'CURRENT_POINTS', gap: 1_855 }],
              renewalGaps: [{ by: 'POINTS', gap: 355 }],
              lots: [{ points: 45, expiryDate: '2026-12-31' }],
              tierChanges: [{ at: Date.UTC(2026, 9, 1, 9, 15, 3), type: 'UPGRADE', to: 'Silver' }],
            },
          ],
        },
      },
    });
    expect(calls().map(({ url }) => url)).toEqual([
      `/v2/customers/${CUSTOMER_ID}?source=ALL&embed=mlp%2Cpoints%2Csubscriptions%2CcustomerStatus%2CexpirySchedules&slabHistory=true&gapToUpgrade=0&gapToRenew=0`,
    ]);
  });

  test('is read although fields have other types, or are missing, empty or null', async () => {
    const { customer, program } = await read({
      profiles: [{ firstName: { first: 'Ines' }, lastName: null, identifiers: [7, null, { type: 'email' }] }],
      loyaltyInfo: {},
      statusLabel: 7,
      statusLastUpdatedOn: 'yesterday',
      extendedFields: null,
      cardDetails: {},
      subscriptionInfo: [],
      slabHistory: 'none',
      expirySchedules: undefined,
      loyaltyProgramDetails: [
        { programId: '4101', loyaltyPoints: '145.0', lifetimePoints: 'many', slabSNo: '2', redeemed: null },
        'no program',
      ],
      unknown: { deep: [1] },
    });
    expect(customer).toMatchObject({ identifiers: [], status: { label: '7' }, customerId: CUSTOMER_ID });
    for (const key of [
      'firstName',
      'lastName',
      'extendedFields',
      'cards',
      'subscriptions',
      'joinedAt',
    ] as const)
      expect(customer[key]).toBeUndefined();
    expect(program).toMatchObject({ programId: '4101', points: 145, tier: { number: 2 } });
    for (const key of ['lifetimePoints', 'redeemed', 'lots', 'tierChanges'] as const)
      expect(program?.[key]).toBeUndefined();
  });

  test('has the accounts of other channels behind the in-store profile', async () => {
    const { customer } = await read({
      profiles: [
        { source: 'WEB_ENGAGE', accountId: '7', identifiers: [{ type: 'EMAIL', value: 'web@example.com' }] },
        {
          source: 'LINE',
          identifiers: [
            { type: 'cardNumber', value: 'X1' },
            { type: 'cuid', value: 'c' },
          ],
        },
        { source: 'INSTORE', firstName: 'Ines', identifiers: [{ type: 'mobile', value: 447_700_900_321 }] },
      ],
    });
    expect(customer.identifiers).toEqual([
      { kind: 'phone', value: '447700900321', account: 'instore' },
      { kind: 'email', value: 'web@example.com', account: 'web_engage/7' },
    ]);
    expect(customer.isMasked).toBeUndefined();
  });
});

describe('masked values', () => {
  test('are left out, and what is absent may exist', async () => {
    const profile = {
      firstName: '****',
      lastName: '******',
      source: 'INSTORE',
      fields: { nickname: '***', preferred_store: 'nw.leeds.01' },
      identifiers: [
        { type: 'mobile', value: '************' },
        { type: 'email', value: 'i***@example.com' },
        { type: 'externalId', value: 'LOY-XXXX' },
      ],
    };
    const { customer } = await read({ profiles: [profile], extendedFields: { dob: '*', city: 'Leeds' } });
    expect(customer).toMatchObject({
      isMasked: true,
      identifiers: [{ kind: 'externalId', value: 'LOY-XXXX', account: 'instore' }],
      customFields: { preferred_store: 'nw.leeds.01' },
      extendedFields: { city: 'Leeds' },
    });
    expect(JSON.stringify(customer)).not.toContain('*');
  });

  test.each([{ profiles: undefined }, { profiles: [] }, { profiles: [{ source: 'INSTORE' }] }])(
    'a customer without a profile may have contacts: %j',
    async (changes) => {
      expect((await read(changes)).customer).toMatchObject({ identifiers: [], isMasked: true });
    },
  );
});

describe('programs', () => {
  const standing = { loyaltyId: 72, loyaltyPoints: 10, slabSNo: 1, currentSlab: 'Base' };

  test('are those of which the customer is a member, the default one first', async () => {
    const { customer } = await read({
      loyaltyProgramDetails: [
        { ...standing, programId: 4_103 },
        { ...standing, programId: 4_104, loyaltyId: -1 },
        { ...standing, programId: 4_101 },
      ],
      expirySchedules: [
        { points: 5, expiryDate: '2026-12-31', programId: 4_103 },
        { points: '2.5', expiryDateISO: '2026-11-30T00:00:00+05:30', programId: '4101' },
        { points: 1, expiryDate: '2026-12-31', programId: 4_103 },
      ],
    });
    expect(customer.programs).toMatchObject([
      { programId: '4101', isDefault: true, lots: [{ points: 2.5, expiryDate: '2026-11-30' }] },
      { programId: '4103', isDefault: false, lots: [{ points: 6, expiryDate: '2026-12-31' }] },
    ]);
  });

  test('a tier or points that end in a hundred years never do; at the top there is no next tier', async () => {
    const { program } = await read({
      loyaltyProgramDetails: [
        {
          ...standing,
          programId: 4_101,
          slabExpiryDate: '2126-02-28T23:59:59Z',
          nextSlab: '',
          nextSlabSerialNumber: -1,
        },
      ],
      expirySchedules: [{ points: 5, expiryDate: '2126-12-31', programId: 4_101 }],
    });
    expect(program?.tierExpiresAt).toBeUndefined();
    expect(program?.nextTier).toBeUndefined();
    expect(program?.lots).toEqual([]);
  });

  test('lots are left out if one of them is not clear', async () => {
    const unclear = [
      { points: 5, expiryDate: 'soon', programId: 4_101 },
      { points: 'five', expiryDate: '2026-12-31', programId: 4_101 },
    ];
    for (const lot of unclear) expect((await read({ expirySchedules: [lot] })).program?.lots).toBeUndefined();
    expect(
      (await read({ expirySchedules: [{ points: 5, expiryDate: '2026-12-31' }] })).program?.lots,
    ).toEqual([{ points: 5, expiryDate: '2026-12-31' }]);
    expect((await read({ expirySchedules: [] })).program?.lots).toEqual([]);
  });

  test('gaps have either spelling', async () => {
    const { program } = await read({
      loyaltyProgramDetails: [
        {
          ...standing,
          programId: 4_101,
          upgradeStrategies: [
            { upgrade_based_on: 'VISITS', customer_upgrade_entity_values: { gap_to_upgrade: '3' } },
            { upgradeBasedOn: 'PURCHASES', customerUpgradeEntityValues: { gapToUpgrade: -20 } },
            { upgradeBasedOn: 'POINTS' },
          ],
          gapToRenewSummary: {
            renewStrategies: [{ renew_based_on: 'VISITS', customer_gap_to_renew_value: 2 }],
          },
        },
      ],
    });
    expect(program).toMatchObject({
      upgradeGaps: [
        { by: 'VISITS', gap: 3 },
        { by: 'PURCHASES', gap: 0 },
      ],
      renewalGaps: [{ by: 'VISITS', gap: 2 }],
    });
  });

  test('of an organisation with one program, the summary is its', async () => {
    const { program } = await read({ loyaltyProgramDetails: undefined });
    expect(program).toMatchObject({ programId: '4101', points: 145, lots: [{ points: 45 }] });
  });
});

describe('times', () => {
  test('without a zone are those of the cluster, and the twin with ISO comes first', async () => {
    const { program, customer } = await read(
      {
        statusLastUpdatedOn: '2026-01-05 11:38:20',
        loyaltyProgramDetails: [
          {
            programId: 4_101,
            slabExpiryDate: '2020-01-01 00:00:00',
            slabExpiryDateISO: '2027-09-30T23:59:59+05:30',
          },
        ],
      },
      { serverZone: 'Asia/Kolkata' },
    );
    expect(customer.status?.at).toBe(Date.UTC(2026, 0, 5, 6, 8, 20));
    expect(program?.tierExpiresAt).toBe(Date.UTC(2027, 8, 30, 18, 29, 59));
  });

  test('of a change of tier are local time with the label of UTC, if there is no twin', async () => {
    const change = { to: 'Silver', type: 'RENEW', programId: 4_101 };
    const { program } = await read(
      {
        slabHistory: [
          { ...change, changedOn: '2026-10-01T14:45:03Z' },
          { ...change, changedOn: '2026-10-02T14:45:03Z', changedOnISO: '2026-10-02T14:45:03+05:30' },
          { ...change, type: 'OTHER', changedOnISO: '2026-10-03T14:45:03+05:30' },
        ],
      },
      { serverZone: 'Asia/Kolkata' },
    );
    expect(program?.tierChanges).toEqual([
      { at: Date.UTC(2026, 9, 2, 9, 15, 3), type: 'RENEWAL', to: 'Silver' },
      { at: Date.UTC(2026, 9, 1, 9, 15, 3), type: 'RENEWAL', to: 'Silver' },
    ]);
  });
});

describe('what has become of the customer', () => {
  const merged = { status: false, code: 8_069, message: 'Customer is merged' };

  async function valueOf(body: unknown, status = 200) {
    const { reads } = await readsOf(body, { status });
    return reads.customer(CUSTOMER_ID, NEVER);
  }

  test('merged, as a warning beside what the customer was, or as an error', async () => {
    const expected = { ok: true, value: { kind: 'merged' } };
    expect(await valueOf(aCustomer({ warnings: [merged] }))).toMatchObject(expected);
    expect(await valueOf({ errors: [merged] })).toMatchObject(expected);
    expect(await valueOf({ errors: [merged] }, 400)).toMatchObject(expected);
    expect(await valueOf(aCustomer({ warnings: [merged] }))).not.toHaveProperty('value.customer');
    expect(await valueOf(aCustomer({ id: 5, warnings: [merged] }))).toMatchObject({
      value: { kind: 'merged', into: '5', customer: { customerId: '5' } },
    });
  });

  test('erased, in the shape of v1.1 with status 500', async () => {
    const item = { success: 'false', code: '8109', message: 'Customer is deleted after PII delete request' };
    const response = {
      status: { success: 'false', code: 500, message: 'All requests have failed due to errors' },
      customers: { customer: [{ id: CUSTOMER_ID, item_status: item }] },
    };
    expect(await valueOf({ response }, 500)).toMatchObject({
      ok: true,
      at: 0,
      value: { kind: 'erased' },
      call: { status: 500 },
    });
  });

  test('in no loyalty program', async () => {
    const none = { loyaltyProgramDetails: [], pointsSummary: {}, expirySchedules: [] };
    const code = { code: 8_089, message: 'not enrolled' };
    expect(await valueOf(aCustomer({ ...none, errors: [code] }))).toMatchObject({
      value: { kind: 'no-loyalty', customer: { firstName: 'Ines', programs: [] } },
    });
    expect(await valueOf(aCustomer({ ...none, loyaltyInfo: { loyaltyType: 'non_loyalty' } }))).toMatchObject({
      value: { kind: 'no-loyalty', customer: { loyaltyType: 'non_loyalty' } },
    });
    expect(await valueOf({ errors: [{ code: 1_013, message: 'x' }] })).toMatchObject({
      value: { kind: 'no-loyalty' },
    });
    expect(await valueOf(aCustomer({ warnings: [code] }))).toMatchObject({ value: { kind: 'found' } });
  });

  test.each([
    ['unknown', { errors: [{ code: 8_015, message: 'x' }] }, 'customer-unknown'],
    ['without its points', aCustomer({ warnings: [{ code: 8_062, message: 'x' }] }), 'incomplete'],
    ['another one', aCustomer({ id: 5 }), 'foreign'],
    ['no customer', { data: [] }, 'foreign'],
    ['no object', [1], 'foreign'],
    ['nested without end', '[{"a":'.repeat(5_000) + '1' + '}]'.repeat(5_000), 'foreign'],
  ])('%s', async (_, body, kind) => {
    expect(await valueOf(body)).toMatchObject({ ok: false, error: { kind, call: 'GET /v2/customers/{id}' } });
  });

  test('without the segments only it is whole', async () => {
    const body = aCustomer({ errors: [{ code: 8_063, message: 'x' }] });
    expect(await valueOf(body)).toMatchObject({ value: { kind: 'found', customer: { firstName: 'Ines' } } });
  });
});

describe('the survivor', () => {
  async function survivorIn(item: Record<string, unknown>) {
    const { reads, calls } = await readsOf({
      response: { status: { success: 'true', code: 200 }, customers: { customer: item } },
    });
    const answer = await reads.survivor(CUSTOMER_ID, NEVER);
    return { answer, url: calls()[0]?.url };
  }
  const status = (code: string) => ({ success: 'true', code: '1000', warnings: { warning: [{ code }] } });

  test('is the customer of the answer', async () => {
    expect(await survivorIn({ id: '5', user_id: '5', item_status: status('91009') })).toMatchObject({
      answer: { ok: true, value: '5', call: { call: 'GET /v1.1/customer/get' } },
      url: `/v1.1/customer/get?format=json&id=${CUSTOMER_ID}`,
    });
    expect(await survivorIn({ id: 5, item_status: status('91009') })).toMatchObject({
      answer: { value: '5' },
    });
  });

  test('is not said by the customer itself, nor by an id that may be of something else', async () => {
    for (const item of [
      { id: CUSTOMER_ID, user_id: CUSTOMER_ID, item_status: status('91009') },
      { id: '71', item_status: status('0') },
      { id: '71', user_id: CUSTOMER_ID, item_status: status('91009') },
    ]) {
      const { answer } = await survivorIn(item);
      expect(answer).toMatchObject({ ok: true });
      expect(answer).toHaveProperty('value', undefined);
    }
  });
});

test('an answer that is too long to be kept is none', async () => {
  const { reads } = await readsOf(aCustomer({ extendedFields: { city: 'x'.repeat(2_097_152) } }));
  expect(await reads.customer(CUSTOMER_ID, NEVER)).toMatchObject({ ok: false, error: { kind: 'foreign' } });
});
