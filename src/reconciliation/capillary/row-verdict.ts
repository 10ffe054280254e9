import type { DeliveryRow } from '../../capillary/api/delivery-log.ts';
import type { KnownEvent } from '../../journal/landings.ts';
import { VERIFIED_BY_RECONCILE } from '../../sources/logged-request.ts';
import type { DifferenceCause, DifferenceKind } from '../reconciliation-report.ts';

/** Why a row is more than an event that was accepted as a webhook. */
export interface RowDifference {
  readonly kind: DifferenceKind;
  readonly cause: DifferenceCause;
}

/**
 * What a row of the delivery log means for its event, by what the journal knows of it. The same row
 * and the same knowledge give the same verdict, so a repeated scan changes nothing.
 * - `accepted`, `recovered`: the journal has it, from a webhook or from the log.
 * - `unknown`: it does not; it can be taken from the log.
 */
export interface RowVerdict {
  readonly outcome: 'accepted' | 'recovered' | 'unknown';
  readonly difference?: RowDifference;
  /** Capillary has not ended its attempts. */
  readonly isUnsettled: boolean;
}

/** Clocks of Capillary and of the journal may differ by this much. */
const CLOCK_TOLERANCE_MS = 60_000;
/** Identities are forgotten by time of receipt, which is later than that of generation. */
export const KNOWN_SINCE_MARGIN_MS = 3_600_000;

/**
 * Why Capillary gave up. A gateway in front of the relay answers 5xx when it does not reach it.
 * Source: docs/platforms/capillary.md#answers-and-repeats
 */
function causeOf({ answered }: DeliveryRow): DifferenceCause {
  if (answered === undefined || answered >= 500) return 'relay-unreachable';
  return answered >= 300 ? 'relay-refused' : 'unknown';
}

/** What it is to be unknown, and to have been unknown before it was taken from the log. */
export function lossOf(row: DeliveryRow): RowDifference {
  return row.status === 'SUCCESS'
    ? { kind: 'acknowledged-unknown', cause: 'sent-elsewhere-or-store-lost' }
    : { kind: 'given-up', cause: causeOf(row) };
}

/** Whether a webhook came after the event had been taken from the log: nothing was wrong. */
function cameLater({ status, deliveredAt }: DeliveryRow, { receivedAt }: KnownEvent): boolean {
  return status === 'SUCCESS' && deliveredAt !== undefined && deliveredAt + CLOCK_TOLERANCE_MS >= receivedAt;
}

/** @param knownSince as the journal answers it, epoch ms */
export function verdictOf(
  row: DeliveryRow,
  known: KnownEvent | undefined,
  knownSince: number | undefined,
): RowVerdict {
  const { status, generatedAt } = row;
  const isUnsettled = status !== 'SUCCESS' && status !== 'FAIL';
  if (known?.verifiedBy === VERIFIED_BY_RECONCILE) {
    const difference = cameLater(row, known) ? {} : { difference: lossOf(row) };
    return { outcome: 'recovered', isUnsettled: false, ...difference };
  }
  if (known !== undefined) {
    const isLost = status === 'FAIL';
    const difference = { kind: 'answer-lost', cause: 'answer-lost' } as const;
    return { outcome: 'accepted', isUnsettled: false, ...(isLost ? { difference } : {}) };
  }
  const isForgotten =
    knownSince !== undefined && generatedAt !== undefined && generatedAt < knownSince + KNOWN_SINCE_MARGIN_MS;
  if (status === 'SUCCESS' && isForgotten) return { outcome: 'accepted', isUnsettled: false };
  return { outcome: 'unknown', difference: lossOf(row), isUnsettled };
}
