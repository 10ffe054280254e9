import type { DeliveryRow } from '../../capillary/api/delivery-log.ts';
import { splitEventType } from '../../capillary/event-envelope.ts';
import { eventIdText, shortId } from '../../capillary/event-id.ts';
import type { LoggedEvent } from './logged-event.ts';
import { lossOf, type RowVerdict } from './row-verdict.ts';
import type { SlotEntry } from './slot-account.ts';

/* How a row of the log is counted, and what operators read about it. */

/** A row with what is known of its event. */
export interface JudgedRow {
  readonly row: DeliveryRow;
  readonly event: LoggedEvent;
  /** Of the event that the journal has. */
  readonly receipt: string | undefined;
  readonly verdict: RowVerdict;
}

type Named = Pick<NonNullable<SlotEntry['difference']>, 'eventId' | 'eventName' | 'receipt'>;

function namesOf({ eventId, eventName }: DeliveryRow, receipt?: string): Named {
  const name = splitEventType(eventName).eventName ?? eventName;
  const id = eventIdText(eventId);
  return {
    ...(receipt === undefined || receipt === '' ? {} : { receipt }),
    ...(id === undefined ? {} : { eventId: shortId(id) }),
    ...(name === '' ? {} : { eventName: name }),
  };
}

/** What Capillary's log says of its attempts; without the text of the last answer. */
function attemptsOf({ status, answered, retryCount }: DeliveryRow): string {
  const answer = answered === undefined ? 'no answer' : `the answer ${answered}`;
  const attempts = retryCount === 0 ? 'one attempt' : `${retryCount + 1} attempts`;
  return `Capillary's log has it as ${status === '' ? 'unknown' : status}, with ${answer} after ${attempts}`;
}

/** An event that the journal has. @param receipt of the event */
export function knownEntry(
  { row, verdict }: JudgedRow,
  outcome: 'accepted' | 'recovered',
  receipt: string | undefined,
): SlotEntry {
  const { difference } = verdict;
  if (difference === undefined) return { outcome, isUnsettled: false };
  const common = { ...difference, ...namesOf(row, receipt), isOpen: false };
  if (difference.kind === 'answer-lost') {
    const detail = `it was accepted, but the answer was lost: ${attemptsOf(row)}`;
    return { outcome, isUnsettled: false, difference: { ...common, detail } };
  }
  if (difference.kind !== 'acknowledged-unknown') {
    const detail = `it has been taken from the log; ${attemptsOf(row)}`;
    return { outcome, isUnsettled: false, difference: { ...common, detail } };
  }
  const detail = `it has been taken from the log. Find out who answered: ${attemptsOf(row)}`;
  const fix = receipt === undefined ? {} : { fix: `capillary-relay explain ${receipt}` };
  return { outcome, isUnsettled: false, difference: { ...common, detail, ...fix } };
}

/** An event that could be taken from the log. */
export function missingEntry({ row, verdict }: JudgedRow, source: string): SlotEntry {
  return {
    outcome: 'missing',
    isUnsettled: verdict.isUnsettled,
    difference: {
      ...lossOf(row),
      ...namesOf(row),
      isOpen: true,
      detail: `it was not accepted; ${attemptsOf(row)}`,
      fix: `capillary-relay reconcile --source ${source} --resend`,
    },
  };
}

/**
 * An event that cannot be taken from the log.
 * @param receipt of the dead letter that has the payload, or an empty text
 * @param isRefreshed whether a refresh of its customer's profile has been asked for
 */
export function unusableEntry(
  { row, event, verdict }: JudgedRow,
  receipt: string,
  isRefreshed: boolean,
): SlotEntry {
  const { kind, cause } = lossOf(row);
  const refresh = isRefreshed ? "; a refresh of the customer's profile has been asked for" : '';
  const fix = receipt === '' ? {} : { fix: `capillary-relay dead-letters replay ${receipt}` };
  return {
    outcome: 'unrecoverable',
    isUnsettled: verdict.isUnsettled,
    difference: {
      kind: kind === 'given-up' ? 'no-payload' : kind,
      cause,
      ...namesOf(row, receipt),
      isOpen: true,
      detail: `${event.fault ?? 'its payload cannot be used'}; ${attemptsOf(row)}${refresh}`,
      ...fix,
    },
  };
}
