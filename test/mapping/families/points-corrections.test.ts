import { describe, expect, it } from 'vitest';
import type { CapillaryEvent } from '../../../src/capillary/event.ts';
import { isJsonObject, type JsonObject } from '../../../src/capillary/json.ts';
import { mapEvent } from '../../../src/mapping/map-event.ts';
import {
  contextOf,
  eventWith,
  fixtureEvent,
  fixtureNames,
  messagesOf,
  plainRecords,
} from '../mapping-rig.ts';

function change(event: CapillaryEvent, data: JsonObject): CapillaryEvent {
  return {
    ...event,
    data: { ...event.data, ...data },
  };
}

/** The record of a customer of whom only this event is known, without identities. */
function recordOf(event: CapillaryEvent, context = contextOf()) {
  const mapped = mapEvent(event, context);
  if (mapped instanceof Promise || mapped.outcome !== 'messages') {
    throw new Error('not mapped');
  }
  const { profile, notes } = plainRecords(event, mapped, context);
  const {
    _id,
    identityMap: _map,
    ...fields
  } = (isJsonObject(profile) ? profile['record'] : {}) as JsonObject;
  const { loyaltyID: _ids, ...loyalty } = (fields['loyalty'] ?? {}) as JsonObject;
  const { loyalty: _whole, ...others } = fields;
  const record = Object.keys(loyalty).length === 0 ? others : { ...others, loyalty };
  // The list of all expiring points is tested with whole histories.
  const codes = (notes as string[]).filter((note) => !note.startsWith('lots-unknown'));
  return { record, codes, hasProfile: mapped.profile !== undefined };
}

const GROUP = { entityInformation: { entityType: 'USERGROUP2', entityId: 88 } };
const SECOND_PROGRAM = {
  loyaltyProgramId: 2077,
  loyaltyProgramDetails: { id: 2077, name: 'Tea Club', isDefault: false },
};

describe.each(['issued-points-reversed', 'promised-points-conversion'])('%s', (name) => {
  const event = fixtureEvent(name);
  const { programCurrentPoints: points, programLifetimePoints: lifetime } = event.data;

  it('changes the balance of another program only', () => {
    const { record, codes } = recordOf(change(event, SECOND_PROGRAM));

    expect(record).toEqual({ _acme: { capillary: { programs: [{ id: '2077', points, lifetime }] } } });
    expect(codes).toEqual(['other-program data.loyaltyProgramId']);
  });

  it('follows the configured program', () => {
    const context = contextOf({ source: { program: 2077 } });

    expect(recordOf(change(event, SECOND_PROGRAM), context).record).toEqual({
      loyalty: { points, program: 'Tea Club' },
    });
    expect(recordOf(event, context).record).toEqual({
      _acme: { capillary: { programs: [{ id: '2041', points, lifetime }] } },
    });
  });

  it('does not change the person who acted for a group', () => {
    const { hasProfile, codes } = recordOf(change(event, GROUP));

    expect(hasProfile).toBe(false);
    expect(codes).toEqual(['group-balance data.loyaltyProgramId']);
  });

  it('sets the lifetime points if the schema has them', () => {
    const context = contextOf({ destination: { schemaFeatures: { loyalty2026: true } } });

    expect(recordOf(event, context).record).toEqual({
      loyalty: { points, lifetimePoints: lifetime, program: 'Pine Circle' },
    });
  });
});

describe.each([
  ['redeemed-points-reversed', 'redemptionReversalToEarningPrograms', 455.5, 15],
  ['points-transferred-initiated', 'redemptionFromEarningPrograms', 375.5, 0],
])('%s', (name, list, main, second) => {
  const event = fixtureEvent(name);

  it('assigns each balance to its program', () => {
    const context = contextOf({ source: { program: 2077 } });

    expect(recordOf(event, context).record).toEqual({
      loyalty: { points: second },
      _acme: { capillary: { programs: [{ id: '2041', points: main }] } },
    });
  });

  it('does not change the person who acted for a group', () => {
    const { hasProfile, codes } = recordOf(change(event, GROUP));

    expect(hasProfile).toBe(false);
    expect(codes).toEqual([`group-balance data.${list}`]);
  });
});

describe('pointsTransferredInitiated', () => {
  it('has only the id of the recipient', async () => {
    const { event } = await messagesOf(fixtureEvent('points-transferred-initiated'));
    const text = JSON.stringify(event);

    expect(text).toContain('518200999');
    expect(text).not.toMatch(/arun|rao|99999"/i);
  });

  it('identifies the recipient by the customerId if there is no entity', async () => {
    const transferReceivingCustomerIdentifiers = { customerId: 518200999.0 };
    const { event } = await messagesOf(
      eventWith('pointsTransferredInitiated', { transferReceivingCustomerIdentifiers }),
    );

    expect(event).toMatchObject({ _acme: { capillary: { transfer: { recipientId: '518200999' } } } });
  });
});

describe('amounts that are not balances', () => {
  const context = contextOf({ destination: { schemaFeatures: { loyalty2026: true } } });

  it('of alternate currencies do not change the profile', () => {
    const names = fixtureNames.filter((name) => name.includes('currenc'));

    expect(names).toHaveLength(4);
    for (const name of names) {
      expect(recordOf(fixtureEvent(name), context).hasProfile).toBe(false);
    }
  });

  it('of points set nothing for a customer whose balance is not known', () => {
    const names = fixtureNames.filter((name) => /manual-points|single|received/.test(name));

    expect(names).toHaveLength(3);
    for (const name of names) {
      const { record } = recordOf(fixtureEvent(name), context);
      expect(JSON.stringify(record)).not.toMatch(/"points|Points"/);
    }
  });
});

describe('a conversion', () => {
  it('has no gain without an amount, and reads "-1" as no bill', async () => {
    const { event } = await messagesOf(
      eventWith('promisedToCurrentPointsConversion', {
        billId: '-1',
        loyaltyProgramId: 2041,
        pointsConvertedType: 'MANUAL',
      }),
    );

    expect(event['loyalty']).toBeUndefined();
    expect(event).toMatchObject({ _acme: { capillary: { conversion: { type: 'MANUAL' } } } });
    expect(JSON.stringify(event)).not.toContain('"-1"');
  });
});
