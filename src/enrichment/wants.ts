import { type BillReadType, billReadType } from '../capillary/api/bill-reads.ts';
import { CATALOGUE } from '../capillary/catalogue.ts';
import { type DeletionLabels, isDeletion, RELEASE_EVENT } from '../capillary/deletion.ts';
import type { CapillaryEvent } from '../capillary/event.ts';
import { customerIdText } from '../capillary/identifiers.ts';
import { entityTypeOf } from '../capillary/person.ts';

/** What an event lacks that Capillary's API can say. */
export interface Wants {
  readonly customerId?: string;
  readonly bill?: {
    readonly transactionId: string;
    /** Types with which the bill may be found, the likeliest first. */
    readonly types: readonly BillReadType[];
  };
  /** The event comes from a batch job, which raises it for very many customers at once. */
  readonly isFlood: boolean;
}

/** Which parts the configuration asks for. */
export interface WantedParts {
  readonly customers: boolean;
  readonly transactions: boolean;
}

/**
 * Events about a bill that Capillary has accepted. A rejected one has no id that could be read.
 * Source: docs/platforms/capillary.md#other-bills
 */
const BILL_EVENTS: ReadonlySet<string> = new Set([
  'transactionAdded',
  'transactionUpdated',
  'notInterestedBillAdded',
  'retroBillAdded',
]);

/** Lists of lines that an event can have. Source: docs/platforms/capillary.md#bill-lines */
const LINES = ['lineItems', 'lineItemsV2', 'productLineItems', 'productListItems'] as const;

/**
 * Events that jobs and campaigns raise, not the customer: at the end of a month hundreds of
 * thousands of them come within an hour. Source: docs/platforms/capillary.md#rate-and-size
 */
const FLOOD_EVENTS: ReadonlySet<string> = new Set([
  'pointsExpired',
  'pointsExpiryReminder',
  'pointsExpiryChange',
  'promisedToCurrentPointsConversion',
  'promisedToCurrentAlternateCurrencyConversion',
  'tierDowngraded',
  'tierRenewed',
  'tierDowngradeReminder',
  'promotionIssued',
  'cartPromotionIssued',
  'IssueBulkCoupon',
  'rewardExpiryReminder',
  'supplementaryMembershipExpiryReminder',
  'targetPeriodStarted',
  'targetPeriodCompleted',
  'streakStart',
  'streakEnd',
  'communicationMessageOpened',
  'communicationMessageClicked',
  'communicationMessageUndelivered',
]);

const RETURN_OF: Readonly<Partial<Record<BillReadType, BillReadType>>> = {
  REGULAR: 'RETURN',
  NOT_INTERESTED: 'NOT_INTERESTED_RETURN',
};

/** A bill is found by its own type only; if the event does not say it, it can be a return. */
function billTypes({ eventName, data }: CapillaryEvent): readonly BillReadType[] {
  const { billType } = data;
  const said = typeof billType === 'string' ? billType.trim().toUpperCase() : '';
  const isOutside = eventName === 'notInterestedBillAdded' && said === '';
  const type = isOutside ? 'NOT_INTERESTED' : billReadType(said);
  const other = type === said ? undefined : RETURN_OF[type];
  return other === undefined ? [type] : [type, other];
}

function billOf(event: CapillaryEvent): Wants['bill'] {
  const { eventName, data } = event;
  if (!BILL_EVENTS.has(eventName)) return undefined;
  const transactionId = customerIdText(data['transactionId']);
  const hasLines = LINES.some((name) => Array.isArray(data[name]) && data[name].length > 0);
  return transactionId === undefined || hasLines ? undefined : { transactionId, types: billTypes(event) };
}

/** Events of a group say nothing about the balances of the member who acted. */
function isOfGroup({ eventName, data }: CapillaryEvent): boolean {
  return (
    CATALOGUE.get(eventName)?.area === 'group' || entityTypeOf(data['entityInformation']) === 'USERGROUP2'
  );
}

/**
 * Nothing for samples, which are of nobody, and for what may only be sent as an id: deletions and
 * releases of identifiers.
 * @returns undefined if the event wants nothing
 */
export function wantsOf(
  event: CapillaryEvent,
  parts: WantedParts,
  labels: DeletionLabels,
): Wants | undefined {
  const { eventName, customerId } = event;
  if (event.isSample || eventName === RELEASE_EVENT || isDeletion(event, labels)) return undefined;
  const wantsCustomer = parts.customers && customerId !== undefined && !isOfGroup(event);
  const bill = parts.transactions ? billOf(event) : undefined;
  if (!wantsCustomer && bill === undefined) return undefined;
  return {
    ...(wantsCustomer ? { customerId } : {}),
    ...(bill === undefined ? {} : { bill }),
    isFlood: FLOOD_EVENTS.has(eventName),
  };
}
