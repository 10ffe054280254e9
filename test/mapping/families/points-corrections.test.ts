import { describe, expect, it } from 'vitest';
import type { CapillaryEvent } from '../../../src/capillary/event.ts';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { codesOf, contextOf, eventWith, fixtureEvent, fixtureNames, messagesOf } from '../mapping-rig.ts';

function change(event: CapillaryEvent, data: JsonObject): CapillaryEvent {
  return {
    ...event,
    data: { ...event.data, ...data },
  };
}

/** The profile attributes that an event sets, without the identities. */
async function profileOf(event: CapillaryEvent, context = contextOf()) {
  const mapped = await messagesOf(event, context);
  const attributes = [...(mapped.profile?.attributes ?? [])].filter(
    ([path]) => !path.startsWith('identityMap.'),
  );
  return { attributes: Object.fromEntries(attributes), codes: codesOf(mapped) };
}

const GROUP = { entityInformation: { entityType: 'USERGROUP2', entityId: 88 } };
const SECOND_PROGRAM = {
  loyaltyProgramId: 2077,
  loyaltyProgramDetails: { id: 2077, name: 'Tea Club', isDefault: false },
};

describe.each(['issued-points-reversed', 'promised-points-conversion'])('%s', (name) => {
  const event = fixtureEvent(name);
  const { programCurrentPoints: points, programLifetimePoints: lifetime } = event.data;

  it('changes the balance of another program only', async () => {
    expect(await profileOf(change(event, SECOND_PROGRAM))).toEqual({
      attributes: {
        '_acme.capillary.programs[2077].points': points,
        '_acme.capillary.programs[2077].lifetime': lifetime,
      },
      codes: ['other-program data.loyaltyProgramId'],
    });
  });

  it('follows the configured program', async () => {
    const context = contextOf({ source: { program: 2077 } });

    expect((await profileOf(change(event, SECOND_PROGRAM), context)).attributes).toEqual({
      'loyalty.points': points,
      'loyalty.program': 'Tea Club',
    });
    expect((await profileOf(event, context)).attributes).toMatchObject({
      '_acme.capillary.programs[2041].points': points,
    });
  });

  it('does not change the person who acted for a group', async () => {
    expect(await profileOf(change(event, GROUP))).toEqual({
      attributes: {},
      codes: ['group-balance data.loyaltyProgramId'],
    });
  });

  it('sets the lifetime points if the schema has them', async () => {
    const context = contextOf({ destination: { schemaFeatures: { loyalty2026: true } } });

    expect((await profileOf(event, context)).attributes).toEqual({
      'loyalty.points': points,
      'loyalty.lifetimePoints': lifetime,
      'loyalty.program': 'Pine Circle',
    });
  });
});

describe.each([
  ['redeemed-points-reversed', 'redemptionReversalToEarningPrograms', 455.5, 15],
  ['points-transferred-initiated', 'redemptionFromEarningPrograms', 375.5, 0],
])('%s', (name, list, main, second) => {
  const event = fixtureEvent(name);

  it('assigns each balance to its program', async () => {
    const context = contextOf({ source: { program: 2077 } });

    expect((await profileOf(event, context)).attributes).toEqual({
      'loyalty.points': second,
      '_acme.capillary.programs[2041].points': main,
    });
  });

  it('does not change the person who acted for a group', async () => {
    expect(await profileOf(change(event, GROUP))).toEqual({
      attributes: {},
      codes: [`group-balance data.${list}`],
    });
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
  it('do not change the profile', async () => {
    const context = contextOf({ destination: { schemaFeatures: { loyalty2026: true } } });
    const names = fixtureNames.filter((name) => /currenc|manual|single|received/.test(name));

    expect(names).toHaveLength(7);
    for (const name of names) {
      expect((await messagesOf(fixtureEvent(name), context)).profile).toBeUndefined();
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
