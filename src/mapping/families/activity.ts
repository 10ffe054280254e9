import type { Reader } from '../reader.ts';

/** The bill behind an event. */
export function transactionIdOf(data: Reader): string | undefined {
  return activityId(data, ['transactionid', 'billid']);
}

/** The redemption that an event makes or undoes. */
export function redemptionIdOf(data: Reader): string | undefined {
  return activityId(data, ['redemptionid']) ?? data.id('redemptionSummaryId');
}

/**
 * The first identifier of the triggering activity under one of these keys, in their order; "-1" is
 * Capillary's "none".
 */
function activityId(data: Reader, keys: readonly string[]): string | undefined {
  const identifiers = data.object('triggeringActivity').list('identifiers');
  return keys
    .flatMap((key) => identifiers.filter((one) => one.text('key')?.toLowerCase() === key))
    .map((one) => one.id('value'))
    .find((value) => value !== undefined && value !== '-1');
}
