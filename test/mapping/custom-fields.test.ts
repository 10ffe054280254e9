import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/capillary/json.ts';
import { codesOf, contextOf, eventWith, messagesOf } from './mapping-rig.ts';

const fields = {
  customFields: {
    shoe_size: '_acme.shoeSize',
    club: '_acme.club.member',
    channel: '_acme.channel',
    note: 'person.nickname',
    items: 'loyalty.loyaltyID[0]',
  },
  extendedFields: {
    city: 'homeAddress.city',
    language: 'preferredLanguage',
    marital: 'person.maritalStatus',
    since: 'loyalty.joinDate',
    whatsapp: 'consents.marketing.whatsApp.val',
    points: 'loyalty.points',
    gift: 'commerce.order.taxAmount',
    mail: 'personalEmail.address',
  },
};
const context = contextOf({ source: { fields, contacts: { ignore: ['kiosk@*'] } } });
function pairs(values: Record<string, JsonValue>): JsonValue {
  return Object.entries(values).map(([key, value]) => ({ key, value }));
}

async function attributesOf(eventName: string, data: object) {
  const mapped = await messagesOf(eventWith(eventName, { ...data }), context);
  return {
    attributes: Object.fromEntries(mapped.profile?.attributes ?? []),
    event: mapped.event,
    codes: codesOf(mapped),
  };
}

describe('configured custom and extended fields', () => {
  it.each([
    ['Asha@Example.ORG', 'asha@example.org', []],
    ['noemail1@example.org', undefined, ['placeholder data.extendedFields[0].value']],
    ['Kiosk@example.org', undefined, ['ignored-contact data.extendedFields[0].value']],
    ['\u212aim@example.org', undefined, ['not-an-email personalEmail.address']],
  ])('are read as an address: %s', async (mail, expected, notes) => {
    const { attributes, codes } = await attributesOf('customerAdded', { extendedFields: pairs({ mail }) });

    expect(attributes['personalEmail.address']).toBe(expected);
    expect(codes).toEqual(notes);
  });

  it('of a customer go to the profile, read as the type of the XDM field', async () => {
    const { attributes, event, codes } = await attributesOf('customerAdded', {
      customFields: pairs({ shoe_size: '38', club: true, unknown: 'x', blank: '' }),
      extendedFields: pairs({
        city: ' Bengaluru ',
        language: 'kn-IN',
        since: '2020-02-01',
        points: '12.5',
        whatsapp: 'y',
      }),
    });

    expect(attributes).toEqual({
      '@id[customerId].slot[own]': '518200431',
      '_acme.shoeSize': '38',
      '_acme.club.member': 'true',
      'homeAddress.city': 'Bengaluru',
      preferredLanguage: 'kn-IN',
      'loyalty.joinDate': '2020-01-31T18:30:00.000Z',
      'loyalty.points': 12.5,
      'consents.marketing.whatsApp.val': 'y',
    });
    expect(JSON.stringify(event)).not.toContain('shoeSize');
    expect(codes).toEqual([]);
  });

  it('of the brand are read as the configured type; what is not of the type is left out', async () => {
    const typed = contextOf({
      source: {
        fields: {
          customFields: {
            score: { to: '_acme.score', type: 'number' },
            visits: { to: '_acme.visits', type: 'integer' },
            vip: { to: '_acme.vip', type: 'boolean' },
            since: { to: '_acme.since', type: 'date-time' },
            birthday: { to: '_acme.birthday', type: 'date' },
            nick: { to: '_acme.nick' },
          },
        },
      },
    });
    const mapped = async (values: Record<string, string>) => {
      const { event, notes } = await messagesOf(
        eventWith('transactionAdded', { customFields: pairs(values) }),
        typed,
      );
      const { capillary: _, ...own } = (event['_acme'] ?? {}) as Record<string, unknown>;
      return { own, notes: notes.map(({ path, code }) => `${code} ${path}`) };
    };

    expect(
      await mapped({
        score: '7.5',
        visits: '3',
        vip: 'Yes',
        since: '2026-01-02T03:04:05Z',
        birthday: '1990-03-04',
        nick: '7',
      }),
    ).toEqual({
      own: {
        score: 7.5,
        visits: 3,
        vip: true,
        since: '2026-01-02T03:04:05.000Z',
        birthday: '1990-03-04',
        nick: '7',
      },
      notes: [],
    });
    expect(
      await mapped({ score: 'high', visits: '3.5', vip: 'maybe', since: 'soon', birthday: '4 March' }),
    ).toEqual({
      own: {},
      notes: [
        'not-a-number data.customFields[0].value',
        'not-an-integer data.customFields[1].value',
        'wrong-type _acme.vip',
        'not-a-date data.customFields[3].value',
        'not-a-date _acme.birthday',
      ],
    });
  });

  it('of a bill go to the event, or to the profile if only that has the field', async () => {
    const { attributes, event } = await attributesOf('transactionAdded', {
      customFields: pairs({ channel: 'store' }),
      extendedFields: pairs({ gift: '5', city: 'Mysuru' }),
    });

    expect(event).toMatchObject({
      _acme: { channel: 'store', capillary: {} },
      commerce: { order: { taxAmount: 5 } },
    });
    expect(attributes).toEqual({ '@id[customerId].slot[own]': '518200431', 'homeAddress.city': 'Mysuru' });
  });

  it('that are invalid are left out with a note', async () => {
    const { attributes, codes } = await attributesOf('customerUpdated', {
      customFields: pairs({ note: 'x', items: 'y', shoe_size: {} }),
      extendedFields: pairs({
        marital: 'complicated',
        language: 'Kannada!',
        since: 'once',
        points: 'many',
        whatsapp: 'yes',
      }),
    });

    expect(attributes).toEqual({});
    expect(codes).toEqual([
      'unknown-field person.nickname',
      'unknown-field loyalty.loyaltyID[0]',
      'not-a-date data.extendedFields[2].value',
      'not-a-number data.extendedFields[3].value',
      'not-in-enum person.maritalStatus',
      'wrong-pattern preferredLanguage',
      'not-in-enum consents.marketing.whatsApp.val',
    ]);
  });

  it('need a tenant for a tenant path', async () => {
    const mapped = await messagesOf(
      eventWith('transactionAdded', { customFields: [{ key: 'channel', value: 'store' }] }),
      contextOf({ source: { fields }, destination: { tenant: undefined } }),
    );

    expect(codesOf(mapped)).toEqual(['no-tenant _acme.channel']);
  });
});
