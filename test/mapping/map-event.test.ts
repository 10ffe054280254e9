import { describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../src/capillary/json.ts';
import { mapEvent } from '../../src/mapping/map-event.ts';
import { jsonBytes } from '../../src/xdm/xdm-record.ts';
import {
  RECEIVED_AT,
  codesOf,
  contextOf,
  eventOf,
  eventWith,
  fixtureEvent,
  fixtureNames,
  messagesOf,
  plainRecords,
  readFixture,
  recordOf as recordOfEvent,
} from './mapping-rig.ts';

describe('an event is not delivered', () => {
  it('if it is a sample event, unless the source delivers them', async () => {
    const sample = fixtureEvent('sample-event');

    expect(await mapEvent(sample, contextOf())).toMatchObject({ outcome: 'ignored', reason: 'test-event' });
    expect(await mapEvent(sample, contextOf({ source: { testEvents: 'deliver' } }))).toMatchObject({
      outcome: 'messages',
      event: { identityMap: { capillaryId: [{ id: '379499720' }] } },
    });
  });

  it('if it belongs to nobody', async () => {
    expect(await mapEvent(fixtureEvent('group-expiry'), contextOf())).toMatchObject({
      outcome: 'ignored',
      reason: 'no-identity',
    });
  });

  it('if none of its identities has a namespace, with a note', async () => {
    const mapped = await mapEvent(
      fixtureEvent('points-expired'),
      contextOf({ destination: { identity: { namespaces: { email: 'Email' } } } }),
    );

    expect(mapped).toMatchObject({ outcome: 'ignored', reason: 'no-identity' });
    expect(codesOf(mapped)).toEqual(['no-namespace identityMap']);
  });

  it('if its name has no mapping and the source ignores such events', async () => {
    const event = fixtureEvent('unknown-name');

    expect(await mapEvent(event, contextOf({ source: { unmapped: 'ignore' } }))).toMatchObject({
      outcome: 'ignored',
      reason: 'unmapped',
    });
    const overrides = { teaTastingBooked: { event: '{"producedBy": "self"}' } };
    expect(await mapEvent(event, contextOf({ source: { unmapped: 'ignore', overrides } }))).toMatchObject({
      outcome: 'messages',
      event: { eventType: 'loyalty.teaTastingBooked', producedBy: 'self' },
    });
  });
});

describe('_id', () => {
  it('is the same for any envelope and order of keys', async () => {
    const flat = JSON.parse(readFixture('points-issued')) as Record<string, unknown>;
    const { eventId, ...inner } = flat;
    const reversed = Object.fromEntries(Object.entries(flat).toReversed());
    const ids = await Promise.all(
      [flat, reversed, { eventId, attributes: inner }, { data: flat }, { event: flat }, { body: flat }].map(
        async (body) => (await messagesOf(eventOf(body))).event['_id'],
      ),
    );

    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^cap-[0-9a-f]{40}$/);
  });

  it('gets the suffix of a replay as new', async () => {
    const event = fixtureEvent('points-expired');
    const first = await messagesOf(event);
    const again = await messagesOf(event, contextOf({ idSuffix: '-r1' }));

    expect(again.id).toBe(`${first.id}-r1`);
    expect(again.event['_id']).toBe(again.id);
  });
});

async function timestampOf(data: JsonObject, more: object = {}): Promise<unknown> {
  return (await messagesOf(eventWith('transactionAdded', data, more))).event['timestamp'];
}

describe('timestamp', () => {
  it('is the business time; for a bill its date', async () => {
    expect(await timestampOf({ billDate: 1793990000000, enteredAt: 1793990005000 })).toBe(
      '2026-11-06T18:33:20.000Z',
    );
    expect(await timestampOf({ enteredAt: 1793990005000 })).toBe('2026-11-06T18:33:25.000Z');
    expect(await timestampOf({ billDate: '2026-11-06 10:00:00' })).toBe('2026-11-06T04:30:00.000Z');
  });

  it('is the time Capillary stored it if the business time is invalid', async () => {
    expect(await timestampOf({ enteredAt: 156474848484 })).toBe('2026-11-06T21:20:00.000Z');
  });

  it('is the time of receipt if there is no other, and never later', async () => {
    const receipt = new Date(RECEIVED_AT).toISOString();

    expect(await timestampOf({}, { createdAt: 5320 })).toBe(receipt);
    const ahead = RECEIVED_AT + 60_000;
    expect(await timestampOf({ enteredAt: ahead }, { createdAt: ahead })).toBe(receipt);
    expect(await timestampOf({}, { createdAt: ahead })).toBe(receipt);
  });

  it('has a note if the time of receipt is used', async () => {
    const notesOf = async (data: JsonObject, more: object) =>
      codesOf(await messagesOf(eventWith('transactionAdded', data, more)));
    const ahead = RECEIVED_AT + 60_000;

    expect(await notesOf({}, { createdAt: 5320 })).toEqual(['no-event-time timestamp']);
    expect(await notesOf({}, { createdAt: ahead })).toEqual(['after-receipt timestamp']);
    expect(await notesOf({ enteredAt: 1793990005000 }, { createdAt: ahead })).toEqual([
      'after-receipt createdAt',
    ]);
    expect(await notesOf({ enteredAt: 1793990005000 }, { createdAt: 5320 })).toEqual([]);
  });

  it('is never later than the time Capillary stored it', async () => {
    const createdAt = Date.UTC(2026, 10, 6, 10);
    const event = eventWith('customerAdded', { enteredAt: createdAt + 3_600_000 }, { createdAt });
    const mapped = await messagesOf(event);

    expect(mapped.event['timestamp']).toBe('2026-11-06T10:00:00.000Z');
    expect(codesOf(mapped)).toEqual(['after-creation timestamp']);
    expect(recordOfEvent(event, mapped, contextOf())['loyalty']).toEqual({
      joinDate: '2026-11-06T10:00:00.000Z',
    });
  });

  it.each(['DELETED', 'Active'])('of customerUpdated, %s, is that of the change', async (currentLabel) => {
    const createdAt = Date.UTC(2026, 10, 6, 10);
    const data = { enteredAt: createdAt - 33 * 86_400_000, customerStatus: { currentLabel } };
    const mapped = await messagesOf(eventWith('customerUpdated', data, { createdAt }));

    expect(mapped.event['timestamp']).toBe('2026-11-06T10:00:00.000Z');
    expect(codesOf(mapped)).toEqual([]);
  });
});

/** The record of a customer of whom only this event is known. */
async function recordOf(name: string, context = contextOf()): Promise<JsonObject> {
  const { profile } = plainRecords(
    fixtureEvent(name),
    await messagesOf(fixtureEvent(name), context),
    context,
  );
  const record = isJsonObject(profile) ? profile['record'] : undefined;
  return isJsonObject(record) ? record : {};
}

async function loyaltyFields(name: string, context = contextOf()): Promise<string[]> {
  return Object.keys((await recordOf(name, context))['loyalty'] ?? {}).toSorted();
}

describe('switches of the destination', () => {
  it('write no tenant fields without a tenant', async () => {
    for (const name of fixtureNames) {
      const mapped = await mapEvent(fixtureEvent(name), contextOf({ destination: { tenant: undefined } }));
      const event = mapped.outcome === 'messages' ? mapped.event : {};
      expect(Object.keys(event).filter((field) => field.startsWith('_') && field !== '_id')).toEqual([]);
    }
  });

  it('disable profile changes if there is no profile dataset or it is off', async () => {
    const event = fixtureEvent('customer-added');
    const flow = { schemaId: 'https://ns.adobe.com/acme/schemas/s', datasetId: 'd', flowId: 'f' };

    expect(
      (await messagesOf(event, contextOf({ destination: { profile: undefined } }))).profile,
    ).toBeUndefined();
    expect(
      (await messagesOf(event, contextOf({ destination: { profile: { ...flow, write: 'off' } } }))).profile,
    ).toBeUndefined();
    expect((await messagesOf(event)).profile?.attributes.get('person.name.firstName')).toBe('Meera');
  });

  it('write the loyalty fields of 2026 only if they are enabled', async () => {
    const on = contextOf({ destination: { schemaFeatures: { loyalty2026: true } } });

    expect(await loyaltyFields('tier-upgraded')).toEqual(['loyaltyID', 'program', 'tier', 'upgradeDate']);
    expect(await loyaltyFields('tier-upgraded', on)).toEqual([
      'loyaltyID',
      'nextTier',
      'program',
      'tier',
      'tierExpiryDate',
      'tierUpgradeDate',
    ]);
    expect(await loyaltyFields('points-issued')).not.toContain('lifetimePoints');
    expect(await loyaltyFields('points-issued', on)).toContain('lifetimePoints');
  });

  it('write the store as a point of interest if it is enabled', async () => {
    const context = contextOf({ destination: { schemaFeatures: { placeContext: true } } });

    expect((await messagesOf(fixtureEvent('transaction-added'), context)).event['placeContext']).toEqual({
      POIinteraction: { poiDetail: { poiID: 'hp.blr.07', name: 'Harbour & Pine Indiranagar' } },
    });
  });

  it('make the configured program the main one instead of the default', async () => {
    const context = contextOf({ source: { program: 2077 } });

    expect(await recordOf('other-program', context)).toMatchObject({ loyalty: { points: 15 } });
    expect(await recordOf('points-issued', context)).toMatchObject({
      _acme: { capillary: { programs: [{ id: '2041', points: 460.5 }] } },
    });
  });
});

describe('format raw', () => {
  const raw = contextOf({ destination: { format: 'raw' } });

  it('sends the flat event, whatever its envelope was', async () => {
    const mapped = await messagesOf(fixtureEvent('dates-only-wrapped'), raw);

    expect(mapped.event).toMatchObject({
      eventName: 'tierUpgraded',
      orgId: 204731,
      data: { upgradedTierNumber: 2 },
    });
    expect(mapped.event['attributes']).toBeUndefined();
    expect(mapped.profile).toBeUndefined();
  });

  it('sends the same to the profile if the event has a profile attribute, whatever the schema features', async () => {
    const bare = contextOf({
      destination: { format: 'raw', tenant: undefined, schemaFeatures: { loyaltyEvents: false } },
    });
    const added = await messagesOf(fixtureEvent('customer-added'), raw);
    const otherProgram = await messagesOf(fixtureEvent('other-program'), bare);

    expect(added.upsert).toEqual(added.event);
    expect(added.notes).toEqual([]);
    expect(otherProgram.upsert).toEqual(otherProgram.event);
  });

  it.each([
    ['an event without profile attributes', 'transaction-added', {}],
    ['a deletion', 'customer-deleted', {}],
    ['a destination without a profile', 'customer-added', { profile: undefined }],
    [
      'a destination that writes no profiles',
      'customer-added',
      {
        profile: {
          schemaId: 'https://ns.adobe.com/acme/schemas/s',
          datasetId: 'd',
          flowId: 'f',
          write: 'off',
        },
      },
    ],
  ])('sends nothing to the profile for %s', async (_what, name, destination) => {
    const mapped = await messagesOf(
      fixtureEvent(name),
      contextOf({ destination: { format: 'raw', ...destination } }),
    );

    expect(mapped.upsert).toBeUndefined();
    expect(mapped.profile).toBeUndefined();
  });

  it('removes personal data from a deletion', async () => {
    const mapped = await messagesOf(fixtureEvent('customer-deleted'), raw);

    expect(mapped.erase).toBe(true);
    expect(mapped.event['data']).toEqual({
      customerIdentifiers: { customerId: '518200431' },
      customerStatus: { currentLabel: 'Deleted' },
    });
  });
});

describe('deletion', () => {
  it.each(['customer-deleted', 'customer-delete-request'])(
    '%s has the customerId and no other personal data',
    async (name) => {
      const mapped = await messagesOf(
        fixtureEvent(name),
        contextOf({ destination: { schemaFeatures: { placeContext: true } } }),
      );

      expect(mapped.erase).toBe(true);
      expect(mapped.profile).toBeUndefined();
      expect(mapped.event['eventType']).toBe('loyalty.customerDeleted');
      expect(JSON.stringify(mapped)).not.toMatch(/meera|iyer|9845012345|HP-77120|hp\.blr/i);
    },
  );

  it('is not recognized in other customerUpdated and requestUpdated events', async () => {
    const other = eventWith('requestUpdated', {
      requestType: 'CUSTOMER',
      requestBaseType: 'DELETE',
      status: 'PENDING',
    });

    expect((await messagesOf(other)).event['eventType']).toBe('loyalty.requestUpdated');
    expect((await messagesOf(fixtureEvent('customer-updated'))).erase).toBe(false);
  });
});

describe('numbers', () => {
  it('out of range are left out', async () => {
    const body =
      '{"eventName":"pointsExpired","orgId":1,"createdAt":1794000000000,"data":{"customerIdentifiers":{"customerId":7},"pointsExpired":1e999}}';
    const mapped = await messagesOf(eventOf(body));

    expect(codesOf(mapped)).toContain('not-finite data.pointsExpired');
  });
});

describe('the payload of an unmapped event', () => {
  it('is either complete or absent', async () => {
    const small = await messagesOf(eventWith('labelAssignmentCreated', { note: 'é'.repeat(100) }));
    const large = await messagesOf(eventWith('labelAssignmentCreated', { note: 'é'.repeat(3_000) }));

    expect(JSON.stringify(small.event)).toContain('payload');
    expect(JSON.stringify(large.event)).not.toContain('payload');
    expect(codesOf(large)).toEqual(['payload-left-out data']);
    expect(jsonBytes(large.event)).toBeLessThan(1_000);
  });

  it('has no masked value', async () => {
    const mapped = await messagesOf(
      eventWith('labelAssignmentCreated', {
        mobile: '98******45',
        list: [{ email: 'a***@x.in' }],
        note: 'N',
      }),
    );

    expect(JSON.stringify(mapped.event)).not.toContain('**');
    expect(JSON.stringify(mapped.event)).toContain('note');
    expect(codesOf(mapped)).toEqual(['masked data']);
  });
});

it('a changed field has no masked value', async () => {
  const updatedFields = [
    { fieldName: 'mobile', previousValue: '98******45', currentValue: '919845012345' },
    { fieldName: 'email', previousValue: 'asha@x.in', currentValue: '****' },
  ];
  const mapped = await messagesOf(eventWith('customerUpdated', { updatedFields }));

  expect(mapped.event).toMatchObject({
    _acme: {
      capillary: {
        changes: [
          { field: 'mobile', current: '919845012345' },
          { field: 'email', previous: 'asha@x.in' },
        ],
      },
    },
  });
  expect(JSON.stringify(mapped.event)).not.toContain('**');
  expect(codesOf(mapped)).toEqual([
    'masked data.updatedFields[0].previousValue',
    'masked data.updatedFields[1].currentValue',
  ]);
});

describe('a body that is not UTF-8', () => {
  it('is noted, whether or not the event is delivered', async () => {
    const parsed = { ...fixtureEvent('points-expired'), isWindows1252: true };
    expect((await mapEvent(parsed, contextOf())).notes).toEqual([
      {
        kind: 'repaired',
        path: '',
        code: 'not-utf-8',
        message: 'the body is not UTF-8 and declares no other encoding, so it was read as Windows-1252',
      },
    ]);
    const sample = { ...fixtureEvent('sample-event'), isWindows1252: true };
    expect((await mapEvent(sample, contextOf())).notes).toMatchObject([{ code: 'not-utf-8' }]);
  });
});
