import type { z } from 'zod';
import type { PointsLotEntity, ProgramEntity } from '../entities.ts';
import { isNever } from '../times.ts';
import { aNumber, anId, aText, listOf, objectOf } from './answer-fields.ts';
import { dayOf, mislabelledTimeOf, timeOf } from './read-times.ts';

const GAP = { currentValue: aNumber, gapToUpgrade: aNumber, gap_to_upgrade: aNumber };

/** Balances and tier of one program (docs/platforms/capillary.md#loyalty-reads). */
const STANDING = {
  programId: anId,
  programTitle: aText,
  loyaltyId: aNumber,
  loyaltyPoints: aNumber,
  lifetimePoints: aNumber,
  redeemed: aNumber,
  expired: aNumber,
  returned: aNumber,
  adjusted: aNumber,
  cumulativePurchases: aNumber,
  delayedPoints: aNumber,
  currentSlab: aText,
  slabSNo: aNumber,
  slabExpiryDate: aText,
  slabExpiryDateISO: aText,
  nextSlab: aText,
  nextSlabSerialNumber: aNumber,
  /** The parameter tables have the names with `_`, the example those in camel case. */
  upgradeStrategies: listOf({
    upgradeBasedOn: aText,
    upgrade_based_on: aText,
    customerUpgradeEntityValues: objectOf(GAP),
    customer_upgrade_entity_values: objectOf(GAP),
  }),
  gapToRenewSummary: objectOf({
    renewStrategies: listOf({
      renewBasedOn: aText,
      renew_based_on: aText,
      customerGapToRenewValue: aNumber,
      customer_gap_to_renew_value: aNumber,
    }),
  }),
};

export const LOYALTY_FIELDS = {
  loyaltyProgramDetails: listOf(STANDING),
  pointsSummary: objectOf(STANDING),
  expirySchedules: listOf({
    points: aNumber,
    expiryDate: aText,
    expiryDateISO: aText,
    programId: anId,
  }),
  slabHistory: listOf({
    to: aText,
    changedOn: aText,
    changedOnISO: aText,
    type: aText,
    programId: anId,
  }),
};

/** The blocks about loyalty of a customer's answer. */
type LoyaltyAnswer = {
  readonly [Name in keyof typeof LOYALTY_FIELDS]: z.output<(typeof LOYALTY_FIELDS)[Name]>;
};
type Standing = NonNullable<LoyaltyAnswer['pointsSummary']>;

export interface LoyaltyContext {
  readonly serverZone: string;
  /** Epoch ms. */
  readonly now: number;
  /** Of the organisation, if it is known. */
  readonly defaultProgram?: string | undefined;
}

/** Changes that are kept of a program: the newest ones. */
const MAX_TIER_CHANGES = 20;

const CHANGE_TYPES: ReadonlyMap<string, 'UPGRADE' | 'DOWNGRADE' | 'RENEWAL'> = new Map([
  ['UPGRADE', 'UPGRADE'],
  ['DOWNGRADE', 'DOWNGRADE'],
  ['RENEWAL', 'RENEWAL'],
  ['RENEW', 'RENEWAL'],
]);

function tierOf(number: number | undefined, name: string | undefined): ProgramEntity['tier'] {
  return number === undefined || number < 0 ? undefined : { number, ...(name === undefined ? {} : { name }) };
}

function gapList(gaps: readonly { by: string | undefined; gap: number | undefined }[] | undefined) {
  return gaps?.flatMap(({ by, gap }) =>
    by === undefined || gap === undefined ? [] : [{ by, gap: Math.max(0, gap) }],
  );
}

function upgradeGapsOf({ upgradeStrategies }: Standing): ProgramEntity['upgradeGaps'] {
  return gapList(
    upgradeStrategies?.map((strategy) => {
      const values = strategy.customerUpgradeEntityValues ?? strategy.customer_upgrade_entity_values;
      return {
        by: strategy.upgradeBasedOn ?? strategy.upgrade_based_on,
        gap: values?.gapToUpgrade ?? values?.gap_to_upgrade,
      };
    }),
  );
}

function renewalGapsOf({ gapToRenewSummary }: Standing): ProgramEntity['renewalGaps'] {
  return gapList(
    gapToRenewSummary?.renewStrategies?.map((strategy) => ({
      by: strategy.renewBasedOn ?? strategy.renew_based_on,
      gap: strategy.customerGapToRenewValue ?? strategy.customer_gap_to_renew_value,
    })),
  );
}

/** Items that name no program are of the only one. */
function isOf(
  programId: string,
  isOnly: boolean,
): (item: { readonly programId?: string | undefined }) => boolean {
  return (item) => item.programId === programId || (item.programId === undefined && isOnly);
}

/** By day; undefined unless all of them are known. Points that never expire are no lot. */
function lotsOf(
  { expirySchedules }: LoyaltyAnswer,
  isMine: ReturnType<typeof isOf>,
  isOnly: boolean,
  { serverZone, now }: LoyaltyContext,
): readonly PointsLotEntity[] | undefined {
  const points = new Map<string, number>();
  for (const schedule of expirySchedules ?? []) {
    const { points: some, programId } = schedule;
    const day = dayOf(schedule.expiryDate, schedule.expiryDateISO);
    if (some === undefined || day === undefined || (programId === undefined && !isOnly)) return undefined;
    const isLot = some > 0 && !isNever(timeOf(undefined, day, serverZone) ?? 0, now);
    if (isLot && isMine(schedule)) points.set(day, (points.get(day) ?? 0) + some);
  }
  const lots = [...points].map(([expiryDate, sum]) => ({ points: sum, expiryDate }));
  return expirySchedules && lots.toSorted((a, b) => (a.expiryDate < b.expiryDate ? -1 : 1));
}

function tierChangesOf(
  { slabHistory }: LoyaltyAnswer,
  isMine: ReturnType<typeof isOf>,
  { serverZone }: LoyaltyContext,
): ProgramEntity['tierChanges'] {
  return slabHistory
    ?.filter(isMine)
    .flatMap(({ to, type: name, changedOn, changedOnISO }) => {
      const type = CHANGE_TYPES.get(name?.toUpperCase() ?? '');
      const at = mislabelledTimeOf(changedOnISO, changedOn, serverZone);
      return type === undefined || at === undefined ? [] : [{ at, type, to }];
    })
    .toSorted((a, b) => b.at - a.at)
    .slice(0, MAX_TIER_CHANGES);
}

/** Below 1 for a customer who is not a member of the program. */
function isMember({ loyaltyId }: Standing): boolean {
  return loyaltyId === undefined || loyaltyId >= 0;
}

/** Every program with its id; `pointsSummary` is the default program's, and has none. */
function standingsOf(answer: LoyaltyAnswer, { defaultProgram }: LoyaltyContext): readonly Standing[] {
  const { loyaltyProgramDetails = [], pointsSummary, expirySchedules = [], slabHistory = [] } = answer;
  if (loyaltyProgramDetails.length > 0 || pointsSummary === undefined) return loyaltyProgramDetails;
  const named = new Set([...expirySchedules, ...slabHistory].flatMap(({ programId }) => programId ?? []));
  const programId = defaultProgram ?? (named.size === 1 ? [...named][0] : undefined);
  return [{ ...pointsSummary, programId: pointsSummary.programId ?? programId }];
}

/** The programs in which the customer is enrolled, the default one first. */
export function programsOf(answer: LoyaltyAnswer, context: LoyaltyContext): readonly ProgramEntity[] {
  const { serverZone, now, defaultProgram } = context;
  const standings = standingsOf(answer, context).filter(isMember);
  const programs = standings.flatMap((standing): ProgramEntity[] => {
    const { programId } = standing;
    if (programId === undefined) return [];
    const isOnly = standings.length === 1;
    const isMine = isOf(programId, isOnly);
    const expiresAt = timeOf(standing.slabExpiryDateISO, standing.slabExpiryDate, serverZone);
    return [
      {
        programId,
        name: standing.programTitle,
        ...(defaultProgram === undefined ? {} : { isDefault: programId === defaultProgram }),
        points: standing.loyaltyPoints,
        lifetimePoints: standing.lifetimePoints,
        redeemed: standing.redeemed,
        expired: standing.expired,
        returned: standing.returned,
        adjusted: standing.adjusted,
        promised: standing.delayedPoints,
        purchases: standing.cumulativePurchases,
        tier: tierOf(standing.slabSNo, standing.currentSlab),
        ...(expiresAt === undefined || isNever(expiresAt, now) ? {} : { tierExpiresAt: expiresAt }),
        nextTier: tierOf(standing.nextSlabSerialNumber, standing.nextSlab),
        upgradeGaps: upgradeGapsOf(standing),
        renewalGaps: renewalGapsOf(standing),
        lots: lotsOf(answer, isMine, isOnly, context),
        tierChanges: tierChangesOf(answer, isMine, context),
      },
    ];
  });
  return programs.toSorted((a, b) => Number(b.isDefault ?? false) - Number(a.isDefault ?? false));
}
