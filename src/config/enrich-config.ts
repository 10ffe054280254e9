import { z } from 'zod';
import { duration, flag, integer } from './field-types.ts';

/** Which events are completed from Capillary's API before they are mapped. */
export const enrichSchema = z.strictObject({
  transactions: flag().prefault(true).describe('Whether bills get their lines, tenders, store and currency.'),
  customers: flag()
    .prefault(true)
    .describe(
      'Whether profiles get balances, tier, expiring points, contacts and consents as Capillary has them.',
    ),
  coalesce: duration({ min: '10ms', max: '30s' })
    .prefault('3s')
    .describe('Calls about one customer within this time are one; an event waits so long for its call.'),
  attempts: integer(1, 10).prefault(3).describe('How often a call is tried before the event goes on.'),
  maxDelay: duration({ min: '100ms', max: '10m' })
    .prefault('60s')
    .describe('Longest wait of an event; then it is sent as it came and completed later.'),
});

export type EnrichConfig = z.output<typeof enrichSchema>;
