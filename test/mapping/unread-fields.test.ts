import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/capillary/json.ts';
import { createPayloadPath, maskValue } from '../../src/mapping/unread-fields.ts';
import { referencePath } from '../helpers/reference.ts';
import { type ContextChange, contextOf, eventOf, eventWith, messagesOf } from './mapping-rig.ts';

async function unreadOf(eventName: string, data: JsonObject, change: ContextChange = {}) {
  return (await messagesOf(eventWith(eventName, data), contextOf(change))).unread;
}

async function pathsOf(...given: Parameters<typeof unreadOf>): Promise<string[]> {
  return [...((await unreadOf(...given))?.fields.keys() ?? [])].toSorted();
}

describe('fields that nothing reads', () => {
  it('are listed by path with a value', async () => {
    const unread = await unreadOf('transactionAdded', {
      billNumber: 'B-1',
      outlierStatus: 'NORMAL',
      enteredBy: { id: 40, store: { code: 'S1', zone: 'north' } },
      payment: { modes: [{ name: 'CARD', amount: 3 }, { name: 'CASH' }], tags: ['a', 'b'] },
    });

    expect(unread?.mapping).toBe('own');
    expect(Object.fromEntries(unread?.fields ?? [])).toEqual({
      'data.enteredBy.store.zone': 'north',
      'data.payment.modes[].name': 'CASH',
      'data.payment.modes[].amount': 3,
      'data.payment.tags[]': 'b',
    });
  });

  it('do not include empty values and the `InMillis` twin of a time', async () => {
    const data = {
      billDate: '2026-11-01',
      billDateInMillis: 1_793_500_000_000,
      a: null,
      b: ' ',
      c: [],
      d: {},
    };

    expect(await pathsOf('transactionAdded', data)).toEqual([]);
  });

  it('do not include invalid values, which have a note', async () => {
    const data = { amount: 'many', enteredBy: 'till 4', customerStatus: { currentLabel: 7 } };

    expect(await pathsOf('transactionAdded', data)).toEqual(['data.customerStatus.currentLabel']);
  });

  it('do not include the fields that select the program', async () => {
    const data = {
      loyaltyProgramId: 7,
      loyaltyProgramDetails: { id: 7, name: 'Main', isDefault: true },
      triggeringActivity: { entityInformation: { entityType: 'USER', entityId: 518200431 } },
    };

    expect(await pathsOf('pointsIssued', data)).toEqual([]);
  });

  it('include fields of a list that are read from no item', async () => {
    const tiers: JsonObject[] = [
      { tierNumber: 1, tierName: 'Blue', colour: 'b' },
      { tierNumber: 2, tierName: 'Gold' },
    ];
    const data = { upgradedTierNumber: 2, loyaltyProgramDetails: { id: 1, tiers } };

    expect(await pathsOf('tierUpgraded', data)).toEqual(['data.loyaltyProgramDetails.tiers[].colour']);
  });

  it('do not include identifiers, the fields of a deletion and what is left out on purpose', async () => {
    const person = {
      customerId: 518200431,
      firstName: 'Noor',
      instore: { mobile: '919812345678', email: 'noor@example.org', cardNumbers: ['C1'], id: 4 },
      line: {
        accounts: [
          { accountId: 'a', identifiers: [{ identifierType: 'email', identifierValue: 'n@x.org' }] },
        ],
      },
    };

    expect(
      await pathsOf('loyaltyCustomerMerge', {
        customerIdentifiers: person,
        victimCustomerIdentifiers: { customerId: 7, instore: { email: 'v@x.org' } },
        entityInformation: { entityType: 'USER', entityId: 518200431, name: 'n' },
      }),
    ).toEqual(['data.entityInformation.name']);
    const request = { requestType: 'CUSTOMER', requestBaseType: 'UPDATE', status: 'SUCCESS', remark: 'r' };
    expect(await pathsOf('requestUpdated', request)).toEqual(['data.remark']);
    expect(await pathsOf('labelCreated', { status: 'SUCCESS' })).toEqual(['data.status']);
  });

  it('list custom fields by key, except for configured ones', async () => {
    const source = { fields: { customFields: { channel: '_acme.channel' } } };
    const data = {
      customFields: [
        { key: ' channel', value: 'web' },
        { key: 'favouriteStore', value: 'Delhi 4' },
        { key: 'empty', value: '' },
      ],
      extendedFields: [{ key: 'channel', value: 'web' }],
      lineItemsV2: [{ itemCode: 'a', customFields: [{ key: 'channel', value: 'x' }] }],
    };

    expect(await pathsOf('transactionAdded', data, { source })).toEqual([
      'data.customFields[favouriteStore]',
      'data.extendedFields[channel]',
      'data.lineItemsV2[].customFields[channel]',
    ]);
  });

  it('are few even if keys are data', async () => {
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`k${'x'.repeat(at)}`, at]));
    const data = {
      byCustomer: { 518200431: { points: 1 }, 518200432: { points: 2 } },
      byDay: { '2026-01-31': 1, '2026-02-01': 1 },
      byMail: { 'a@x.org': 1, 'b@x.org': 2 },
      byCode: { A100231: 1, B100232: 1 },
      many,
      address1: 'x',
      customFields: [{ key: '518200431', value: 1 }],
    };

    expect(await pathsOf('labelCreated', data)).toEqual([
      'data.address1',
      'data.byCode.*',
      'data.byCustomer.*.points',
      'data.byDay.*',
      'data.byMail.*',
      'data.customFields[*]',
      'data.many.*',
    ]);
  });

  it('are searched within limits', async () => {
    const deep = Array.from({ length: 40 }).reduce<JsonObject>((inner) => ({ inner }), { leaf: 1 });
    const list = Array.from({ length: 5_000 }, (_, at) => ({ [`f${'x'.repeat(at % 50)}`]: at }));

    expect(await pathsOf('labelCreated', { deep })).toEqual([]);
    expect((await pathsOf('labelCreated', { list, last: 1 })).length).toBe(50);
  });
});

describe('the mapping of an event', () => {
  it('is generic for a name without a mapping, and override if the source has an expression', async () => {
    const override = { event: '{"_acme": {"badge": event.data.badge.name}}' };
    const source = { overrides: { labelCreated: override } };
    const data = { badge: { name: 'Early', level: 3 } };

    expect(await unreadOf('labelCreated', data)).toMatchObject({ mapping: 'generic' });
    expect(await pathsOf('labelCreated', data)).toEqual(['data.badge.level', 'data.badge.name']);
    expect(await unreadOf('labelCreated', data, { source })).toMatchObject({ mapping: 'override' });
    expect(await pathsOf('labelCreated', data, { source })).toEqual(['data.badge.level']);
  });

  it('has no unread fields in format raw and for a deletion', async () => {
    expect(await unreadOf('labelCreated', { a: 1 }, { destination: { format: 'raw' } })).toBeUndefined();
    const deleted = eventOf({
      eventName: 'customerUpdated',
      orgId: 1,
      data: { customerIdentifiers: { customerId: 7 }, customerStatus: { currentLabel: 'Deleted' }, more: 1 },
    });
    expect((await messagesOf(deleted)).unread).toBeUndefined();
  });
});

describe('the mask of an example', () => {
  it.each([
    ['Delhi Store-04 ', 'Xxxxx Xxxxx-99 '],
    ['Zoë@example.org', 'Xxx@xxxxxxx.xxx'],
    ['मोहन ٣', 'xxxx 9'],
    [-1299.5, '-9999.9'],
    [true, 'true'],
    ['a'.repeat(60), 'x'.repeat(40)],
  ])('%s', (value, masked) => {
    expect(maskValue(value)).toBe(masked);
  });
});

describe('a path in a payload', () => {
  it('is looked up by its keys', () => {
    const data = createPayloadPath('data');
    const store = data.field('lines').items().field('store');

    expect(store.text).toBe('data.lines[].store');
    expect(data.field('lines').items().field('store')).toBe(store);
    expect(data.field('customFields').entry('tier').text).toBe('data.customFields[tier]');
  });

  it.each(['518200431', '2026-01-31', '+919812345678', '-1', 'A100231', 'a@x.org', 'k'.repeat(65)])(
    'replaces a key that looks like data: %s',
    (key) => {
      const data = createPayloadPath('data');

      expect(data.field(key).text).toBe('data.*');
      expect(data.field(key)).toBe(data.field('99999'));
    },
  );

  it.each(['address1', 'tier_2026', '_id', 'größe', 'Favourite Store'])('keeps the name %s', (key) => {
    expect(createPayloadPath('data').field(key).text).toBe(`data.${key}`);
  });

  it('is created but not cached beyond the limit', () => {
    const data = createPayloadPath('data');
    const keys = Array.from(
      { length: 20_001 },
      (_, at) => `k${at.toString(2).replaceAll('1', 'a').replaceAll('0', 'b')}`,
    );

    expect(keys.map((key) => data.field(key).text)).toEqual(keys.map((key) => `data.${key}`));
    expect(data.field(keys[0]!)).toBe(data.field(keys[0]!));
    expect(data.field(keys[20_000]!)).not.toBe(data.field(keys[20_000]!));
  });
});

/** The events that Adobe's own connector handles. */
const CONNECTOR_EVENTS = [
  'customerAdded',
  'customerUpdated',
  'transactionAdded',
  'transactionUpdated',
  'pointsIssued',
  'pointsRedeemed',
  'pointsExpired',
  'pointsExpiryReminder',
  'pointsExpiryChange',
  'tierUpgraded',
  'tierDowngraded',
  'tierRenewed',
  'tierDowngradeReminder',
  'promotionEarned',
];

const payloads = referencePath('events/', 'unread fields of the documented payloads');

describe.runIf(payloads !== undefined)('a documented payload', () => {
  const unreadIn = async (folder: string, name: string): Promise<string[]> => {
    const event = eventOf(readFileSync(`${payloads}${folder}${name}.json`, 'utf8'));
    const { unread } = await messagesOf(event, contextOf({ source: { testEvents: 'deliver' } }));
    const fields = [...(unread?.fields.keys() ?? [])];
    // A source gives the brand's own fields an XDM path.
    return fields.filter((path) => !/^data\.(custom|extended)Fields\[/.test(path));
  };

  it.each(CONNECTOR_EVENTS)('of %s has no field that nothing reads', async (name) => {
    expect(await unreadIn('documented/', name)).toEqual([]);
    expect(await unreadIn('', name)).toEqual([]);
  });
});
