import { afterEach, describe, expect, it } from 'vitest';
import type { DestinationConfig, SourceConfig } from '../../src/config/config-schema.ts';
import { StoreError } from '../../src/journal/journal.ts';
import { createProgramCatalogue } from '../../src/mapping/program-catalogue.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';
import { contextOf } from '../mapping/mapping-rig.ts';
import { prepareOne } from './prepare-one.ts';

const T = 1_790_848_800_000;

let harness: DeliveryHarness;
afterEach(() => harness.close());

function pointsEvent(eventName: string, at: number, data: object) {
  return {
    eventName,
    eventId: `${eventName}-${at}`,
    orgId: 100_458,
    createdAt: T + at,
    data: { customerIdentifiers: { customerId: 1 }, loyaltyProgramId: 973, ...data },
  };
}

const DETAILS = {
  id: 973,
  name: 'Pine Circle',
  isDefault: true,
  tiers: [{ tierNumber: 2, tierName: 'Silver' }],
};

async function deliver(event: object) {
  const { receipt } = await harness.accept(event);
  return harness.whenSettled(receipt);
}

describe('names of programs and tiers', () => {
  it('are known after a restart, for customers of whom no event has said them', async () => {
    harness = await startDeliveryHarness();
    await harness.destinations.start();
    await deliver(
      pointsEvent('pointsIssued', 1, { programCurrentPoints: 5, loyaltyProgramDetails: DETAILS }),
    );
    await harness.reconfigure(() => undefined);
    await deliver({
      ...pointsEvent('tierRenewed', 2, { currentTierNumber: 2 }),
      data: { customerIdentifiers: { customerId: 2 }, loyaltyProgramId: 973, currentTierNumber: 2 },
    });

    expect(harness.simulator.landed({ kind: 'profile' }).at(-1)?.entity['loyalty']).toEqual({
      program: 'Pine Circle',
      tier: 'Silver',
    });
  });

  it('are stored before their event is delivered; a failing store makes the event wait', async () => {
    harness = await startDeliveryHarness();
    const { receipt } = await harness.accept(
      pointsEvent('pointsIssued', 1, { programCurrentPoints: 5, loyaltyProgramDetails: DETAILS }),
    );
    const claimed = await harness.claim();
    const [event] = claimed.events;
    const { source, destination } = contextOf();
    const saved: string[] = [];
    const parts = {
      now: Date.now(),
      source: source as SourceConfig,
      destination: destination as DestinationConfig,
      programs: createProgramCatalogue(),
      journal: {
        profiles: () => Promise.resolve(new Map<string, string>()),
        savePrograms: async (programs: readonly { json: string }[]) => {
          saved.push(programs.map(({ json }) => json).join());
          if (saved.length === 1) throw new StoreError('the disk is full');
          return [];
        },
      },
    };

    expect(event?.receipt).toBe(receipt);
    await expect(prepareOne(event!, parts)).rejects.toThrow(StoreError);
    expect(await prepareOne(event!, parts)).toMatchObject({ kind: 'messages' });
    expect(saved).toEqual([saved[0], saved[0]]);
    expect(saved[0]).toContain('Pine Circle');
    await prepareOne(event!, parts);
    expect(saved).toHaveLength(2);
  });
});
