import { DELIVERY_SPAN_MS, type DeliverySpan, type Landing, RefusedError } from '../../journal.ts';
import type { AnswerOf, RequestOf } from './calls.ts';
import { addLanding, confirmedRange, spanStart } from './landing-counts.ts';
import type { ConfirmedRange } from './landing-state.ts';
import { rowOfReceipt } from './rows.ts';
import type { SpanRow } from './span-table.ts';
import type { Engine } from './sqlite-engine.ts';

type Sum = { at: number; events: number; acknowledged: Counts; unanswered: Counts };
type Counts = { event: number; profile: number };

function addTo(sum: Sum, row: SpanRow): void {
  sum.events += row.events;
  sum.acknowledged.event += row.events_acknowledged;
  sum.acknowledged.profile += row.profiles_acknowledged;
  sum.unanswered.event += row.events_unanswered;
  sum.unanswered.profile += row.profiles_unanswered;
}

function isEmpty({ events, acknowledged, unanswered }: Sum): boolean {
  const { event, profile } = acknowledged;
  return events + event + profile + unanswered.event + unanswered.profile === 0;
}

export function deliverySpans(
  { db, landings }: Engine,
  { destination, range }: RequestOf<'deliverySpans'>,
): readonly DeliverySpan[] {
  const sums = new Map<number, Sum>();
  for (const row of landings.spans.rows(db, { destination, ...range })) {
    const { at } = row;
    const none = { at, events: 0, acknowledged: noCounts(), unanswered: noCounts() };
    const sum = sums.get(at) ?? none;
    sums.set(at, sum);
    addTo(sum, row);
  }
  return [...sums.values()].filter((sum) => !isEmpty(sum)).toSorted((a, b) => a.at - b.at);
}

function noCounts(): Counts {
  return { event: 0, profile: 0 };
}

function assertConfirmable({ from, until }: RequestOf<'confirm'>['range'], now: number): void {
  if (from % DELIVERY_SPAN_MS !== 0 || until % DELIVERY_SPAN_MS !== 0)
    throw new RefusedError('a range to confirm must begin and end at the beginning of a span');
  if (until > now) throw new RefusedError('a range to confirm must end in the past');
}

/** The parts of a range that are in none of the others, which are in order. */
function without(range: ConfirmedRange, others: readonly ConfirmedRange[]): ConfirmedRange[] {
  const parts: ConfirmedRange[] = [];
  let { from } = range;
  for (const other of others) {
    if (other.until <= from || other.from >= range.until) continue;
    if (other.from > from) parts.push({ ...range, from, until: other.from });
    from = other.until;
  }
  return from < range.until ? [...parts, { ...range, from }] : parts;
}

function insertRange({ db, landings }: Engine, destination: string, range: ConfirmedRange): void {
  const { from, until, since } = range;
  const before = db.run(
    'UPDATE confirmed SET until_at = ? WHERE destination = ? AND until_at = ? AND since = ?',
    until,
    destination,
    from,
    since,
  );
  if (before === 0) db.run('INSERT INTO confirmed VALUES (?, ?, ?, ?)', destination, from, until, since);
  landings.refresh();
}

export function confirm(engine: Engine, request: RequestOf<'confirm'>): AnswerOf<'confirm'> {
  const { destination, range } = request;
  assertConfirmable(range, engine.now());
  const { db, landings } = engine;
  const from = Math.max(range.from, landings.spansSince());
  if (from >= range.until) return { landed: 0 };
  const spans = { from: spanStart(from), until: range.until };
  let landed = 0;
  for (const { source, events, doubted } of landings.spans.rows(db, { destination, ...spans })) {
    landed += events - doubted;
    if (events !== doubted) addLanding(engine, source, { landed: events - doubted });
  }
  landings.spans.remove(db, spans, destination);
  for (const part of without({ ...range, from }, landings.confirmed(destination)))
    insertRange(engine, destination, part);
  return { landed };
}

export function landingSums({ accounts }: Engine): AnswerOf<'landings'> {
  return Object.fromEntries(
    [...accounts.landings.rows]
      .filter(([, { landed, refused_later }]) => landed !== 0 || refused_later !== 0)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([source, { landed, refused_later: refusedLater }]) => [source, { landed, refusedLater }]),
  );
}

export function landing(engine: Engine, receipt: RequestOf<'landing'>): Landing | undefined {
  const row = rowOfReceipt(engine, receipt);
  if (row?.state !== 'delivered') return undefined;
  const doubt = engine.db.one('SELECT code, detail FROM doubts WHERE seq = ?', row.seq) as
    | { code: string; detail: string }
    | undefined;
  if (doubt !== undefined) return { state: 'unconfirmed', code: doubt.code, detail: doubt.detail };
  const range = confirmedRange(engine, row.destination, row.settled_at ?? 0);
  return range === undefined ? { state: 'unconfirmed' } : { state: 'landed', since: range.since };
}
