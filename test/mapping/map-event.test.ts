import { describe, expect, it } from 'vitest';
import { mapEvent } from '../../src/mapping/map-event.ts';
import type { JsonObject } from '../../src/capillary/json.ts';
import { sizeOf } from '../../src/xdm/limits.ts';
import {
  codesOf,
  contextOf,
  eventOf,
  eventWith,
  fixtureEvent,
  fixtureNames,
  messagesOf,
  RECEIVED_AT,
  readFixture,
} from './mapping-rig.ts';

describe('what is not delivered', () => {
  it('sample events, unless the source wants them', async () => {
    const sample = fixtureEvent('sample-event');

    expect(await mapEvent(sample, contextOf())).toMatchObject({ outcome: 'ignored', reason: 'test-event' });
    expect(await mapEvent(sample, contextOf({ source: { testEvents: 'deliver' } }))).toMatchObject({
      outcome: 'messages',
      event: { identityMap: { capillaryId: [{ id: '379499720' }] } },
    });
  });

  it('events of nobody', async () => {
    expect(await mapEvent(fixtureEvent('group-expiry'), contextOf())).toMatchObject({
      outcome: 'ignored',
      reason: 'no-identity',
    });
  });

  it('events of somebody for whom there is no namespace, and says so', async () => {
    const mapped = await mapEvent(
      fixtureEvent('points-expired'),
      contextOf({ destination: { identity: { namespaces: { email: 'Email' } } } }),
    );

    expect(mapped).toMatchObject({ outcome: 'ignored', reason: 'no-identity' });
    expect(codesOf(mapped)).toEqual(['no-namespace identityMap']);
  });

  it('names without a mapping, where the source wants it so', async () => {
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
  it('is the same for each envelope and order of keys', async () => {
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

const timestampOf = async (data: JsonObject, more: object = {}): Promise<unknown> =>
  (await messagesOf(eventWith('transactionAdded', data, more))).event['timestamp'];

describe('timestamp', () => {
  it('is the business time, of a bill its date', async () => {
    expect(await timestampOf({ billDate: 1793990000000, enteredAt: 1793990005000 })).toBe(
      '2026-11-06T18:33:20.000Z',
    );
    expect(await timestampOf({ enteredAt: 1793990005000 })).toBe('2026-11-06T18:33:25.000Z');
    expect(await timestampOf({ billDate: '2026-11-06 10:00:00' })).toBe('2026-11-06T04:30:00.000Z');
  });

  it('is the time Capillary stored it where the business time is none', async () => {
    expect(await timestampOf({ enteredAt: 156474848484 })).toBe('2026-11-06T21:20:00.000Z');
  });

  it('is the time of receipt where nothing else is left, and never later', async () => {
    const receipt = new Date(RECEIVED_AT).toISOString();

    expect(await timestampOf({}, { createdAt: 5320 })).toBe(receipt);
    expect(await timestampOf({ enteredAt: RECEIVED_AT + 60_000 })).toBe(receipt);
    expect(await timestampOf({}, { createdAt: RECEIVED_AT + 60_000 })).toBe(receipt);
  });
});

const loyaltyPaths = async (name: string, context = contextOf()): Promise<string[]> => {
  const { profile } = await messagesOf(fixtureEvent(name), context);
  return [...(profile?.attributes.keys() ?? [])].filter((path) => path.startsWith('loyalty.'));
};

describe('switches of the destination', () => {
  it('writes nothing below a tenant that there is not', async () => {
    for (const name of fixtureNames) {
      const mapped = await mapEvent(fixtureEvent(name), contextOf({ destination: { tenant: undefined } }));
      const event = mapped.outcome === 'messages' ? mapped.event : {};
      expect(Object.keys(event).filter((field) => field.startsWith('_') && field !== '_id')).toEqual([]);
    }
  });

  it('changes no profile where there is no profile dataset or it is off', async () => {
    const event = fixtureEvent('customer-added');
    const flow = { schemaId: 's', datasetId: 'd', flowId: 'f' };

    expect(
      (await messagesOf(event, contextOf({ destination: { profile: undefined } }))).profile,
    ).toBeUndefined();
    expect(
      (await messagesOf(event, contextOf({ destination: { profile: { ...flow, write: 'off' } } }))).profile,
    ).toBeUndefined();
    expect((await messagesOf(event)).profile?.attributes.get('person.name.firstName')).toBe('Meera');
  });

  it('writes the loyalty fields of 2026 only where they are on', async () => {
    const on = contextOf({ destination: { schemaFeatures: { loyalty2026: true } } });

    expect(await loyaltyPaths('tier-upgraded')).toEqual(['loyalty.tier', 'loyalty.upgradeDate']);
    expect(await loyaltyPaths('tier-upgraded', on)).toEqual([
      'loyalty.tier',
      'loyalty.tierUpgradeDate',
      'loyalty.tierExpiryDate',
    ]);
    expect(await loyaltyPaths('points-issued', on)).toContain('loyalty.lifetimePoints');
  });

  it('writes the store as point of interest where the schema has it', async () => {
    const context = contextOf({ destination: { schemaFeatures: { placeContext: true } } });

    expect((await messagesOf(fixtureEvent('transaction-added'), context)).event['placeContext']).toEqual({
      POIinteraction: { poiDetail: { poiID: 'hp.blr.07', name: 'Harbour & Pine Indiranagar' } },
    });
  });

  it('follows the configured program instead of the default one', async () => {
    const context = contextOf({ source: { program: 2077 } });

    expect(
      (await messagesOf(fixtureEvent('other-program'), context)).profile?.attributes.get('loyalty.points'),
    ).toBe(15);
    expect(
      (await messagesOf(fixtureEvent('points-issued'), context)).profile?.attributes.get(
        '_acme.capillary.programs[2041].points',
      ),
    ).toBe(460.5);
  });
});

describe('format raw', () => {
  const raw = contextOf({ destination: { format: 'raw' } });

  it('passes the flat event on, whichever envelope it came in', async () => {
    const mapped = await messagesOf(fixtureEvent('dates-only-wrapped'), raw);

    expect(mapped.event).toMatchObject({
      eventName: 'tierUpgraded',
      orgId: 204731,
      data: { upgradedTierNumber: 2 },
    });
    expect(mapped.event['attributes']).toBeUndefined();
    expect(mapped.profile).toBeUndefined();
  });

  it('gives the same to the profile where the event tells something of it, whatever the schema is said to have', async () => {
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
    ['an event that tells nothing of it', 'transaction-added', {}],
    ['a deletion', 'customer-deleted', {}],
    ['a destination without a profile', 'customer-added', { profile: undefined }],
    [
      'one that writes none',
      'customer-added',
      { profile: { schemaId: 's', datasetId: 'd', flowId: 'f', write: 'off' } },
    ],
  ])('gives the profile nothing for %s', async (_what, name, destination) => {
    const mapped = await messagesOf(
      fixtureEvent(name),
      contextOf({ destination: { format: 'raw', ...destination } }),
    );

    expect(mapped.upsert).toBeUndefined();
    expect(mapped.profile).toBeUndefined();
  });

  it('takes the person out of a deletion', async () => {
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
    '%s carries the id and nothing else of the person',
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

  it('is not every customerUpdated and requestUpdated', async () => {
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
  it('beyond what a number can hold are left out', async () => {
    const body =
      '{"eventName":"pointsExpired","orgId":1,"createdAt":1794000000000,"data":{"customerIdentifiers":{"customerId":7},"pointsExpired":1e999}}';
    const mapped = await messagesOf(eventOf(body));

    expect(codesOf(mapped)).toContain('not-finite data.pointsExpired');
  });
});

describe('the payload of an unmapped event', () => {
  it('is whole or not there', async () => {
    const small = await messagesOf(eventWith('labelAssignmentCreated', { note: 'é'.repeat(100) }));
    const large = await messagesOf(eventWith('labelAssignmentCreated', { note: 'é'.repeat(3_000) }));

    expect(JSON.stringify(small.event)).toContain('payload');
    expect(JSON.stringify(large.event)).not.toContain('payload');
    expect(codesOf(large)).toEqual(['payload-left-out data']);
    expect(sizeOf(large.event)).toBeLessThan(1_000);
  });
});
