import type { Batch } from '../../adobe/platform/batches.ts';
import type { FailedRecord, UnreadableRecord } from '../../adobe/platform/failed-records.ts';
import { reasonText } from '../../adobe/platform/record-error-text.ts';
import { REFUSED_LATER } from '../../journal/event-reasons.ts';
import type { EventLog, EventRecord } from '../../journal/event-log.ts';
import type { Landings, RefusedRecord, SentEvent } from '../../journal/landings.ts';
import type { MessageKind } from '../../journal/stored-event.ts';
import { truncateUtf8 } from '../../telemetry/truncate.ts';
import { entityOf, keyOfRecord } from './failed-record-key.ts';

export type RefusalJournal = Pick<Landings, 'sentEvents' | 'refuse'> & Pick<EventLog, 'find'>;

/** What became of the records of a batch. */
export interface RecordTally {
  /** Their events are dead letters because of it. */
  readonly refused: number;
  /** Their events were sent again since, or an operator has decided about them. */
  readonly settledSince: number;
  /** Their events are being sent: whether they are to be refused shows later. */
  readonly undecided: number;
  /** Records of another system, or of another destination. */
  readonly foreign: number;
  /** No event of the journal belongs to them. */
  readonly unknown: number;
  /** Of refused events, a few. */
  readonly receipts: readonly string[];
}

export const EMPTY_TALLY: RecordTally = {
  refused: 0,
  settledSince: 0,
  undecided: 0,
  foreign: 0,
  unknown: 0,
  receipts: [],
};

/** Receipts that are remembered of one batch. */
export const MAX_TALLY_RECEIPTS = 5;

export function addTallies(left: RecordTally, right: RecordTally): RecordTally {
  return {
    refused: left.refused + right.refused,
    settledSince: left.settledSince + right.settledSince,
    undecided: left.undecided + right.undecided,
    foreign: left.foreign + right.foreign,
    unknown: left.unknown + right.unknown,
    receipts: [...new Set([...left.receipts, ...right.receipts])].slice(0, MAX_TALLY_RECEIPTS),
  };
}

/** The batch whose records are judged. */
export interface RefusedBatch {
  readonly batch: Batch;
  readonly destination: string;
  /** Names of the relay's other destinations, which can write to the same dataset. */
  readonly others: readonly string[];
  readonly isRaw: boolean;
  readonly kind: MessageKind;
  /** Epoch ms of this machine at which AEP had refused all of it. */
  readonly refusedAt: number;
}

type Fate = 'refused' | 'settledSince' | 'undecided' | 'foreign' | 'unknown';
type FileRecord = FailedRecord | UnreadableRecord;

const MAX_DETAIL_BYTES = 2_048;
const MAX_ERRORS = 5;
/** A profile record of 100 KB is the largest that AEP keeps. */
const MAX_JSON_BYTES = 200_000;

function detailOf(record: FileRecord, batch: Batch): string {
  const own = 'head' in record ? [] : record.errors;
  const errors =
    own.length > 0 ? own : batch.errors.map(({ code, description }) => ({ code, message: description }));
  const texts = [...new Set(errors.slice(0, MAX_ERRORS).map(reasonText))];
  const why = texts.length === 0 ? 'no reason given' : texts.join('; ');
  return truncateUtf8(`AEP refused it after its answer, in batch ${batch.id}: ${why}`, MAX_DETAIL_BYTES);
}

function jsonOf(record: FileRecord): string | undefined {
  const entity = entityOf(record);
  const json = entity === undefined ? undefined : JSON.stringify(entity);
  return json !== undefined && Buffer.byteLength(json) <= MAX_JSON_BYTES ? json : undefined;
}

/** When the message was acknowledged last; undefined if no attempt of it is recorded. */
function lastDelivery({ attempts }: EventRecord, kind: MessageKind): number | undefined {
  const times = attempts
    .filter((attempt) => attempt.kind === kind && attempt.outcome === 'delivered')
    .map(({ at }) => at);
  return times.length === 0 ? undefined : Math.max(...times);
}

/**
 * What is to be done about a record of an event. One that was settled after the refusal may have
 * been sent before it: its attempts say so.
 */
async function judge(
  journal: RefusalJournal,
  { receipt, state, idSuffix, settledAt }: SentEvent,
  suffix: string | undefined,
  { kind, refusedAt }: RefusedBatch,
): Promise<Fate | { readonly refuseAt: number; readonly idSuffix: string }> {
  if (suffix !== undefined && suffix !== idSuffix) return 'settledSince';
  if (state === 'delivered' && (settledAt ?? 0) <= refusedAt) return { refuseAt: refusedAt, idSuffix };
  const record = await journal.find(receipt);
  if (record === undefined) return 'unknown';
  const { event } = record;
  const isSent = event.delivered.includes(kind) && (lastDelivery(record, kind) ?? Infinity) <= refusedAt;
  if (event.state === 'dead' && event.reason === REFUSED_LATER)
    return isSent ? { refuseAt: Math.max(refusedAt, event.settledAt ?? 0), idSuffix } : 'refused';
  // Its outcome is not recorded yet, or was lost by a crash, so that it is sent again.
  const isOnItsWay = event.state === 'pending' && (isSent || !event.isReplay);
  if (isOnItsWay) return 'undecided';
  if (!isSent) return 'settledSince';
  return event.state === 'delivered'
    ? { refuseAt: Math.max(refusedAt, event.settledAt ?? 0), idSuffix }
    : 'settledSince';
}

/** The events of the records, by position. */
async function eventsOf(
  journal: RefusalJournal,
  records: readonly FileRecord[],
  { destination, others, isRaw }: RefusedBatch,
): Promise<(Fate | { readonly event: SentEvent; readonly suffix?: string })[]> {
  const keys = records.map((record) => keyOfRecord(record, isRaw));
  const prefixes = keys.flatMap((key) => (key.by === 'identity' ? [key.prefix] : []));
  const sent = await journal.sentEvents(destination, [...new Set(prefixes)]);
  const unknown = [...new Set(prefixes)].filter((prefix) => !sent.has(prefix));
  const elsewhere = new Set<string>();
  if (unknown.length > 0)
    for (const other of others)
      for (const prefix of (await journal.sentEvents(other, unknown)).keys()) elsewhere.add(prefix);
  return Promise.all(
    keys.map(async (key) => {
      if (key.by === 'another-writer') return 'foreign';
      if (key.by === 'nothing') return 'unknown';
      if (key.by === 'identity') {
        const event = sent.get(key.prefix);
        if (event !== undefined) return { event, suffix: key.suffix };
        // The check of that destination reads the batch too.
        return elsewhere.has(key.prefix) ? 'foreign' : 'unknown';
      }
      const found = await journal.find(key.eventId);
      return found?.event.destination === destination ? { event: found.event } : 'unknown';
    }),
  );
}

/**
 * Makes dead letters of the events that these records belong to. It can be repeated: what it has
 * done before counts the same.
 */
export async function refuseRecords(
  journal: RefusalJournal,
  records: readonly FileRecord[],
  batch: RefusedBatch,
): Promise<RecordTally> {
  const { destination, kind } = batch;
  const fates: Fate[] = [];
  const refusals = new Map<string, RefusedRecord>();
  for (const [position, found] of (await eventsOf(journal, records, batch)).entries()) {
    const fate = typeof found === 'string' ? found : await judge(journal, found.event, found.suffix, batch);
    if (typeof found === 'string' || typeof fate === 'string') {
      fates.push(fate as Fate);
      continue;
    }
    const record = records[position] as FileRecord;
    const { receipt } = found.event;
    const json = jsonOf(record);
    refusals.set(receipt, {
      receipt,
      kind,
      idSuffix: fate.idSuffix,
      refusedAt: fate.refuseAt,
      detail: detailOf(record, batch.batch),
      ...(json === undefined ? {} : { json }),
    });
  }
  const { refused } = await journal.refuse(destination, [...refusals.values()]);
  const done = new Set(refused);
  for (const receipt of refusals.keys()) fates.push(await fateAfter(journal, receipt, done));
  const count = (fate: Fate): number => fates.filter((one) => one === fate).length;
  return {
    refused: count('refused'),
    settledSince: count('settledSince'),
    undecided: count('undecided'),
    foreign: count('foreign'),
    unknown: count('unknown'),
    receipts: refused.slice(0, MAX_TALLY_RECEIPTS),
  };
}

/** An event can have been settled or replayed between the look and the refusal. */
async function fateAfter(
  journal: RefusalJournal,
  receipt: string,
  refused: ReadonlySet<string>,
): Promise<Fate> {
  if (refused.has(receipt)) return 'refused';
  const event = (await journal.find(receipt))?.event;
  if (event?.state === 'dead' && event.reason === REFUSED_LATER) return 'refused';
  return event?.state === 'pending' ? 'undecided' : 'settledSince';
}
