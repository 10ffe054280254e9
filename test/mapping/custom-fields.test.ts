import { describe, expect, it } from 'vitest';
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
function pairs(values: Record<string, unknown>) {
  return Object.entries(values).map(([key, value]) => ({ key, value }));
}

async function attributesOf(eventName: string, data: object) {
  const mapped = await messagesOf(eventWith(eventName, { ...data }), context);
  const own = [...(mapped.profile?.attributes ?? [])].filter(([path]) => !path.startsWith('identityMap.'));
  return { attributes: Object.fromEntries(own), event: mapped.event, codes: codesOf(mapped) };
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
      '_acme.shoeSize': '38',
      '_acme.club.member': 'true',
      'homeAddress.city': 'Bengaluru',
      preferredLanguage: 'kn-IN',
      'loyalty.joinDate': '2020-02-01T18:29:59.999Z',
      'loyalty.points': 12.5,
      'consents.marketing.whatsApp.val': 'y',
    });
    expect(JSON.stringify(event)).not.toContain('shoeSize');
    expect(codes).toEqual([]);
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
    expect(attributes).toEqual({ 'homeAddress.city': 'Mysuru' });
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
