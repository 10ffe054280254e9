import { describe, expect, it } from 'vitest';
import { customerIn } from '../../../src/capillary/api/customer-answer.ts';
import { normalize } from '../../../src/mapping/identities.ts';
import { customerView } from '../../../src/simulator/capillary/reads/customer-view.ts';
import { balanceOf, futureLots } from '../../../src/simulator/capillary/world/points-account.ts';
import { createWorld } from '../../../src/simulator/capillary/world/world.ts';
import { createHistory, noon } from '../customer/history-rig.ts';
import { answered, bill } from './snapshot-rig.ts';

const QUERY =
  'source=ALL&embed=mlp,points,subscriptions,customerStatus,expirySchedules&slabHistory=true&gapToUpgrade=0&gapToRenew=0';
const DAY = 20;

describe('a profile after one read of a customer', () => {
  it('is that of the simulated Capillary', async () => {
    const world = createWorld({ seed: 7, orgId: 50 });
    const now = noon(DAY);
    for (let count = 0; count < 40; count += 1) {
      const member = world.addMember(now);
      const context = {
        world,
        zone: '+05:30' as const,
        bareBillingTimes: false,
        now,
        unknownMs: 0,
        showsPersonalData: true,
        query: new URLSearchParams(QUERY),
      };
      const [main] = member.accounts;
      const { customer } = customerIn(customerView(member, context, []), String(member.customerId), {
        serverZone: 'Asia/Kolkata',
        now,
        defaultProgram: String(main?.program.id),
      });
      const { record } = await createHistory({ destination: { schemaFeatures: { loyalty2026: true } } }).send(
        {
          ...bill(DAY, answered(DAY, { kind: 'found', customer })),
          customerId: member.customerId,
        },
      );
      const consent = (channel: string): unknown => ({
        val: member.subscriptions.some(
          (one) => one.channel === channel && one.priority === 'BULK' && one.isOptedIn,
        )
          ? 'y'
          : 'n',
      });

      expect(record).toMatchObject({
        person: {
          name: { firstName: member.firstName, lastName: member.lastName },
          birthDate: member.birthDay,
        },
        personalEmail: { address: member.email },
        // The first numbers of the simulated range look invented, so they are left out.
        ...('id' in normalize({ kind: 'phone', value: member.mobile }, 'IN')
          ? { mobilePhone: { number: `+${member.mobile}` } }
          : {}),
        consents: {
          marketing: { email: consent('EMAIL'), sms: consent('SMS'), whatsApp: consent('WHATSAPP') },
        },
        loyalty: {
          loyaltyID: [member.externalId, member.cardNumber],
          cardsDetails: [{ number: member.cardNumber, status: 'ACTIVE' }],
          ...(main === undefined
            ? {}
            : { program: main.program.name, points: balanceOf(main), tier: main.standing.tier.name }),
        },
      });
      const { pointsExpiration = [] } = record['loyalty'] as {
        pointsExpiration?: readonly { readonly pointsExpiring: number }[];
      };
      const lots = main === undefined ? [] : futureLots(main, now);
      expect(pointsExpiration.reduce((sum, lot) => sum + lot.pointsExpiring, 0)).toBe(
        lots.reduce((sum, lot) => sum + lot.available, 0),
      );
    }
  });
});
