import type { JsonObject } from '../../../capillary/json.ts';
import { DEFAULT_PROGRAM } from '../world/brand.ts';
import type { PointsLot } from '../world/points-account.ts';
import type { Bill } from '../world/world-bill.ts';
import { accountOf } from '../world/world-customer.ts';
import type { ReadContext } from './read-context.ts';
import { isoTime } from './server-time.ts';

function breakup(lot: PointsLot, { zone }: ReadContext): JsonObject {
  return {
    programId: DEFAULT_PROGRAM.id,
    issued: lot.issued,
    returned: lot.returned,
    redeemed: lot.redeemed,
    expired: lot.expired,
    expiryDate: isoTime(lot.expiresAt, zone),
    expiryType: 'fixed',
    awardedDate: isoTime(lot.awardedAt, zone),
    allocationType: 'BILL',
    ...(lot.promotion === undefined ? {} : { promotionName: lot.promotion }),
  };
}

/** What the bill's points have become. Bills earn points of the default program only. */
export function pointsOfBill(bill: Bill, context: ReadContext): JsonObject[] {
  const customer = context.world.customers.get(bill.customerId);
  if (customer === undefined) return [];
  const account = accountOf(customer);
  const lots = account.lots.filter(({ billId }) => billId === bill.id);
  const promises = account.promised.filter(({ billId }) => billId === bill.id);
  const [first] = lots;
  if (first === undefined && promises.length === 0) return [];
  const sum = (key: 'issued' | 'returned' | 'redeemed' | 'expired' | 'available'): number =>
    lots.reduce((total, lot) => total + lot[key], 0);
  const views = (kind: PointsLot['kind']): JsonObject[] =>
    lots.filter((lot) => lot.kind === kind).map((lot) => breakup(lot, context));
  return [
    {
      programId: account.program.id,
      issuedPoints: sum('issued'),
      returnedPoints: sum('returned'),
      redeemedPoints: sum('redeemed'),
      expiredPoints: sum('expired'),
      availablePoints: sum('available'),
      delayedPoints: promises.reduce((total, { points }) => total + points, 0),
      delayedPointsReturned: 0,
      ...(first
        ? {
            expiryDate: isoTime(first.expiresAt, context.zone),
            redeemableFrom: isoTime(first.awardedAt, context.zone),
          }
        : {}),
      pointsBreakup: {
        currentPoints: {
          regularPointsBreakup: views('bill_regular'),
          promotionalPointsBreakup: views('customer_promotions'),
        },
        promisedPoints: {
          regularPointsBreakup: [],
          promotionalPointsBreakup: promises.map(({ points, convertsAt }) => ({
            programId: account.program.id,
            issued: points,
            redeemableFrom: isoTime(convertsAt, context.zone),
          })),
        },
      },
    },
  ];
}
