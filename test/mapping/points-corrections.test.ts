import { describe, expect, it } from 'vitest';
import type { CapillaryEvent } from '../../src/capillary/event.ts';
import type { JsonObject } from '../../src/capillary/json.ts';
import { codesOf, contextOf, eventWith, fixtureEvent, fixtureNames, messagesOf } from './mapping-rig.ts';

const change = (event: CapillaryEvent, data: JsonObject): CapillaryEvent => ({
  ...event,
  data: { ...event.data, ...data },
});

/** What an event changes of the profile besides the identities. */
async function toldOf(event: CapillaryEvent, context = contextOf()) {
  const mapped = await messagesOf(event, context);
  const told = [...(mapped.profile?.attributes ?? [])].filter(([path]) => !path.startsWith('identityMap.'));
  return { attributes: Object.fromEntries(told), codes: codesOf(mapped) };
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
    expect(await toldOf(change(event, SECOND_PROGRAM))).toEqual({
      attributes: {
        '_acme.capillary.programs[2077].points': points,
        '_acme.capillary.programs[2077].lifetime': lifetime,
      },
      codes: ['other-program data.loyaltyProgramId'],
    });
  });

  it('follows the configured program', async () => {
    const context = contextOf({ source: { program: 2077 } });

    expect((await toldOf(change(event, SECOND_PROGRAM), context)).attributes).toEqual({
      'loyalty.points': points,
      'loyalty.program': 'Tea Club',
    });
    expect((await toldOf(event, context)).attributes).toMatchObject({
      '_acme.capillary.programs[2041].points': points,
    });
  });

  it('changes nothing of the person who acted for a group', async () => {
    expect(await toldOf(change(event, GROUP))).toEqual({
      attributes: {},
      codes: ['group-balance data.loyaltyProgramId'],
    });
  });

  it('tells the points of a lifetime where the schema has them', async () => {
    const context = contextOf({ destination: { schemaFeatures: { loyalty2026: true } } });

    expect((await toldOf(event, context)).attributes).toEqual({
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

  it('takes each balance to its program', async () => {
    const context = contextOf({ source: { program: 2077 } });

    expect((await toldOf(event, context)).attributes).toEqual({
      'loyalty.points': second,
      '_acme.capillary.programs[2041].points': main,
    });
  });

  it('changes nothing of the person who acted for a group', async () => {
    expect(await toldOf(change(event, GROUP))).toEqual({
      attributes: {},
      codes: [`group-balance data.${list}`],
    });
  });
});

describe('pointsTransferredInitiated', () => {
  it('says nothing of the recipient but the id', async () => {
    const { event } = await messagesOf(fixtureEvent('points-transferred-initiated'));
    const text = JSON.stringify(event);

    expect(text).toContain('518200999');
    expect(text).not.toMatch(/arun|rao|99999"/i);
  });

  it('knows the recipient by the customerId where no entity is given', async () => {
    const transferReceivingCustomerIdentifiers = { customerId: 518200999.0 };
    const { event } = await messagesOf(
      eventWith('pointsTransferredInitiated', { transferReceivingCustomerIdentifiers }),
    );

    expect(event).toMatchObject({ _acme: { capillary: { transfer: { recipientId: '518200999' } } } });
  });
});

describe('amounts that are no balance', () => {
  it('change nothing of the profile', async () => {
    const context = contextOf({ destination: { schemaFeatures: { loyalty2026: true } } });
    const names = fixtureNames.filter((name) => /currenc|manual|single|received/.test(name));

    expect(names).toHaveLength(7);
    for (const name of names) {
      expect((await messagesOf(fixtureEvent(name), context)).profile).toBeUndefined();
    }
  });
});

describe('a conversion', () => {
  it('gains nothing that it does not tell, and knows "-1" for no bill', async () => {
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
