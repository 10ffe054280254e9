import type { EventRecord, Journal } from '../journal/journal.ts';

/** Something that an action left as it was, and why. `detail` contains nothing of a body. */
export interface ReceiptProblem {
  readonly receipt: string;
  readonly detail: string;
}

/** Entries of a sample, and problems of a selection by filter. */
export const MAX_LISTED = 10;

/** What a dry run would do. */
export interface DryRun<Item> {
  /** How many of the matches the action would process. */
  readonly eligible: number;
  /** The newest of them. */
  readonly sample: readonly Item[];
}

/** What an action reports besides its counts. */
export interface ActionDetails<Item> {
  /** Of every receipt that was given, or the first of a filter. */
  readonly problems: readonly ReceiptProblem[];
  /** Of a dry run. */
  readonly dryRun?: DryRun<Item>;
}

type Lookup = Pick<Journal, 'find' | 'listQuarantined'>;

/** Version 7 UUIDs, as receipts are, begin with their time in ms. */
const RECEIPT = /^([\da-f]{8})-([\da-f]{4})-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

/** Longer texts may be the beginning of an event id. */
const CUT_ID_CHARS = 100;

/** Why nothing can be done again with an event without a body. */
export const NO_BODY = 'its body is gone (retention, discard or erasure) or cannot be read';

/** Why a pending event is not replayed. */
export const IS_PENDING = 'it is pending and will be delivered without a replay';

const IS_QUARANTINED =
  'it is in the quarantine, because its sender could not be verified: fix the secret, then release it from there';

/** Why no event has this receipt or event id, as far as that is known. */
export async function whyUnknown(
  { listQuarantined }: Lookup,
  receipt: string,
): Promise<{ readonly isQuarantined: boolean; readonly detail: string }> {
  const { items } = await listQuarantined({ receipts: [receipt] }, { limit: 1 });
  const isQuarantined = items.length > 0;
  return { isQuarantined, detail: isQuarantined ? IS_QUARANTINED : whyAbsent(receipt) };
}

function whyAbsent(receipt: string): string {
  const [, high, low] = RECEIPT.exec(receipt) ?? [];
  if (high === undefined || low === undefined) {
    const cut =
      receipt.length > CUT_ID_CHARS
        ? '. A long event id is found by all of it, or as the relay shows it; if version 0.2 stored the event, use its receipt'
        : '';
    return `no event has this receipt or event id; retention may have removed it${cut}`;
  }
  const issuedAt = new Date(Number.parseInt(high + low, 16)).toISOString();
  return `no event has this receipt or event id. As a receipt it is from ${issuedAt}: retention, a discard or the limits of the quarantine may have removed what it stood for`;
}

async function problemOf(
  journal: Lookup,
  receipt: string,
  judge: (record: EventRecord) => string | undefined,
): Promise<ReceiptProblem | undefined> {
  const record = await journal.find(receipt);
  if (record === undefined) return { receipt, detail: (await whyUnknown(journal, receipt)).detail };
  const own = record.event.receipt;
  const detail = own === receipt ? judge(record) : `this is the id of an event; its receipt is ${own}`;
  return detail === undefined ? undefined : { receipt, detail };
}

/** The problems of receipts that were given one by one. */
export async function problemsOf(
  journal: Lookup,
  receipts: readonly string[] | undefined,
  judge: (record: EventRecord) => string | undefined,
): Promise<readonly ReceiptProblem[]> {
  const problems: ReceiptProblem[] = [];
  for (const receipt of receipts ?? []) {
    const problem = await problemOf(journal, receipt, judge);
    if (problem !== undefined) problems.push(problem);
  }
  return problems;
}
