import { type FlowRun, listFlowRunsSince } from '../../adobe/platform/flow-runs.ts';
import type { DestinationReconcileConfig } from '../../config/reconcile-config.ts';
import {
  DELIVERY_SPAN_MS,
  type DeliverySpan,
  type Landings,
  type TimeRange,
} from '../../journal/landings.ts';
import type { MessageKind } from '../../journal/stored-event.ts';
import type { CheckProblem } from '../reconciliation-report.ts';
import { type CheckState, type CountState, NONE, type OpenRange } from './check-state.ts';
import { causeAt, intersection, settlingRange, type TargetFacts, withChanges } from './flow-causes.ts';
import { figuresOf, isGoingOn, type Tolerance, toleranceOf } from './ingested-records.ts';
import { type LakeEvidenceParts, recordsInLake, refusedBeyondRuns } from './lake-evidence.ts';
import { platformProblem } from './platform-problem.ts';
import { accountOf, type WindowAccount } from './window-account.ts';

export interface CountCheckParts extends LakeEvidenceParts {
  readonly destination: string;
  readonly reconcile: Pick<DestinationReconcileConfig, 'window' | 'lakeDelay'>;
  readonly journal: Pick<Landings, 'deliverySpans' | 'confirm'>;
  readonly state: CheckState;
  /** Epoch ms. */
  readonly now: () => number;
}

/** Spans that are older are forgotten by the journal. */
const MAX_AGE_MS = 35 * 86_400_000;
/** Ranges that are looked up event by event; while there are so many, counting waits. */
const MAX_OPEN = 50;
/** How often a run that is still going on may delay the account of its window. */
const MAX_DELAYS = 3;

/** The runs of each dataflow, read once; their times are the journal's. */
type Runs = ReadonlyMap<MessageKind, readonly FlowRun[]>;

/** A window shorter than what can be under way would have no account of its own. */
function windowLength({ window }: Pick<DestinationReconcileConfig, 'window'>, { lagMs }: Tolerance): number {
  const unit = Math.ceil(window / DELIVERY_SPAN_MS) * DELIVERY_SPAN_MS;
  return unit * Math.max(1, Math.ceil(lagMs / unit));
}

/** The parts of a window outside of these ranges. */
function withoutRanges(window: TimeRange, ranges: readonly TimeRange[]): readonly TimeRange[] {
  return ranges.reduce<readonly TimeRange[]>(
    (left, range) =>
      left.flatMap((one) => {
        const shared = intersection(one, range);
        if (shared === undefined) return [one];
        const parts = [
          { from: one.from, until: shared.from },
          { from: shared.until, until: one.until },
        ];
        return parts.filter(({ from, until }) => from < until);
      }),
    [window],
  );
}

type NewRange = Pick<OpenRange, 'deficit' | 'cause' | 'confirms' | 'inLake'>;

function newRange(range: TimeRange, more: NewRange): OpenRange {
  const { from, until } = range;
  return { from, until, ...more, missing: NONE, found: 0, unreadable: 0, isRead: false };
}

/**
 * Looks up once more what was delivered from a time on, as an operator asked; but for what is being
 * looked up for an earlier request.
 */
export async function openAgain(state: CheckState, since: number): Promise<void> {
  const counts = await state.counts();
  const { mark } = counts;
  const from = Math.floor(since / DELIVERY_SPAN_MS) * DELIVERY_SPAN_MS;
  if (mark === undefined || from >= mark) return;
  const asked = counts.open.filter(({ confirms }) => confirms === undefined);
  const again = withoutRanges({ from, until: mark }, asked).map((range) =>
    newRange(range, { deficit: NONE, cause: 'unknown' }),
  );
  await state.saveCounts({ ...counts, open: [...counts.open, ...again] });
}

export type CountResult = { readonly problem?: CheckProblem };

/**
 * Compares what was acknowledged with what AEP ingested, window by window. A window whose counts
 * agree has landed. What does not agree, and what was delivered soon after a change of its
 * dataflow, becomes a range whose events are looked up one by one.
 */
export async function checkCounts(
  parts: CountCheckParts,
  facts: readonly TargetFacts[],
  signal: AbortSignal,
): Promise<CountResult> {
  const { destination, reconcile, journal } = parts;
  const tolerance = toleranceOf(reconcile);
  const length = windowLength(reconcile, tolerance);
  const now = parts.now();
  const horizon = Math.floor((now - reconcile.lakeDelay) / length) * length;
  const before = await confirmAgain(parts);
  let state = isOfFuture(before, now) ? { ...before, mark: undefined } : before;
  const firstAt = Math.floor((now - MAX_AGE_MS) / length) * length;
  const found = await journal.deliverySpans(destination, {
    from: state.mark ?? firstAt,
    until: Math.floor(now / DELIVERY_SPAN_MS) * DELIVERY_SPAN_MS,
  });
  const spans = state === before ? found : found.filter((span) => !isInOpenRange(span, state.open));
  const [first] = spans;
  let mark = state.mark ?? Math.floor((first?.at ?? horizon) / length) * length;
  state = { ...state, mark, changes: withChanges(state.changes, facts, mark) };
  await parts.state.saveCounts(state);
  let runs: Runs | undefined;
  for (; mark + length <= horizon && state.open.length < MAX_OPEN; mark += length) {
    signal.throwIfAborted();
    const window = { from: mark, until: mark + length };
    const own = spans.filter(({ at }) => at >= window.from && at < window.until);
    if (own.length > 0 || hasCarry(state)) {
      if (runs === undefined) {
        const read = await readRuns(parts, facts, mark - tolerance.lagMs, signal);
        if (!read.ok) return { problem: read.problem };
        runs = read.value;
      }
      const next = await accountFor(window, { spans: own, runs, facts, state, tolerance }, parts);
      if (next === undefined) break;
      state = next;
    }
    state = { ...state, mark: window.until };
    await parts.state.saveCounts(state);
    state = await confirmAgain(parts, newestIn(runs, window));
  }
  return {};
}

/** A clock that was ahead has left a mark: what follows would not be compared until that time. */
function isOfFuture({ mark }: CountState, now: number): boolean {
  return mark !== undefined && mark > now;
}

function isInOpenRange({ at }: DeliverySpan, open: readonly OpenRange[]): boolean {
  return open.some(({ from, until }) => at >= from && at < until);
}

function hasCarry({ carry }: CountState): boolean {
  return carry.event.records !== 0 || carry.profile.records !== 0;
}

function newestIn(runs: Runs | undefined, { from, until }: TimeRange): number | undefined {
  const ends = [...(runs?.values() ?? [])]
    .flat()
    .flatMap(({ startedAt, completedAt }) =>
      completedAt !== undefined && startedAt >= from && startedAt < until ? [completedAt] : [],
    );
  return ends.length === 0 ? undefined : ends.reduce((newest, end) => Math.max(newest, end));
}

/** Confirms what was found to have landed; what a crash interrupted too. */
async function confirmAgain(
  { destination, journal, state, now }: CountCheckParts,
  since?: number,
): Promise<CountState> {
  const counts = await state.counts();
  const { confirming = [] } = counts;
  if (confirming.length === 0) return counts;
  for (const range of confirming) await journal.confirm(destination, { ...range, since: since ?? now() });
  const done: CountState = { ...counts, confirming: [] };
  await state.saveCounts(done);
  return done;
}

async function readRuns(
  { client, onCall }: CountCheckParts,
  facts: readonly TargetFacts[],
  since: number,
  signal: AbortSignal,
): Promise<
  { readonly ok: true; readonly value: Runs } | { readonly ok: false; readonly problem: CheckProblem }
> {
  const runs = new Map<MessageKind, readonly FlowRun[]>();
  for (const { kind, flowId } of facts) {
    const read = await listFlowRunsSince(client, flowId, since + client.clockAheadMs(), signal);
    onCall(read.ok ? 'ok' : read.error.kind);
    if (!read.ok) return { ok: false, problem: platformProblem(read.error) };
    const ahead = client.clockAheadMs();
    runs.set(
      kind,
      read.value.map(({ startedAt, completedAt, ...run }) => ({
        ...run,
        startedAt: startedAt - ahead,
        completedAt: completedAt === undefined ? undefined : completedAt - ahead,
      })),
    );
  }
  return { ok: true, value: runs };
}

interface WindowParts {
  readonly spans: readonly DeliverySpan[];
  readonly runs: Runs;
  readonly facts: readonly TargetFacts[];
  readonly state: CountState;
  readonly tolerance: Tolerance;
}

/** What the counts of a window lead to; undefined if it is too early to say. */
async function accountFor(
  window: TimeRange,
  { spans, runs, facts, state, tolerance }: WindowParts,
  parts: CountCheckParts,
): Promise<CountState | undefined> {
  const { reconcile } = parts;
  const accounts = new Map<MessageKind, WindowAccount>();
  for (const target of facts) {
    const { kind } = target;
    const own = runs.get(kind) ?? [];
    const figures = figuresOf(window, kind, { spans, runs: own }, tolerance);
    let account = accountOf(window, state.carry[kind], figures);
    if (account.deficit > 0) {
      const isEarly = parts.now() < window.until + MAX_DELAYS * reconcile.lakeDelay;
      if (isEarly && isGoingOn(own, window, tolerance)) return undefined;
      const more = await refusedBeyondRuns(window, target, own, parts);
      account = accountOf(window, state.carry[kind], { ...figures, ingested: figures.ingested + more });
    }
    accounts.set(kind, account);
  }
  const deficit = {
    event: accounts.get('event')?.deficit ?? 0,
    profile: accounts.get('profile')?.deficit ?? 0,
  };
  const carry = {
    event: accounts.get('event')?.carry ?? state.carry.event,
    profile: accounts.get('profile')?.carry ?? state.carry.profile,
  };
  const settling = state.changes.flatMap((change) => intersection(window, settlingRange(change)) ?? []);
  if (deficit.event + deficit.profile > 0) {
    const since = [...accounts.values()].flatMap((one) => (one.deficit > 0 ? [one.since] : []));
    const range = { from: Math.min(window.from, ...since), until: window.until };
    const kind = deficit.event > 0 ? 'event' : 'profile';
    const change = state.changes.find((one) => one.kind === kind && intersection(window, settlingRange(one)));
    const cause = causeAt(change?.at ?? window.from, kind, state.changes, facts);
    const target = facts.find((one) => one.kind === kind);
    const inLake = target === undefined ? undefined : await recordsInLake(window, target, parts);
    const more = { deficit, cause, confirms: window, ...(inLake === undefined ? {} : { inLake }) };
    return { ...state, carry, open: [...state.open, newRange(range, more)] };
  }
  const used = settling.filter(({ from, until }) => spans.some(({ at }) => at >= from && at < until));
  const young = used.map((range) =>
    newRange(range, { deficit: NONE, cause: 'flow-too-young', confirms: range }),
  );
  return { ...state, carry, open: [...state.open, ...young], confirming: withoutRanges(window, used) };
}
