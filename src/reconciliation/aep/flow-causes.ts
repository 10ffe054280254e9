import { readDataset } from '../../adobe/platform/catalog.ts';
import { readFlowObject } from '../../adobe/platform/flow-service.ts';
import type { PlatformClient } from '../../adobe/platform/platform-client.ts';
import type { DestinationConfig } from '../../config/config-schema.ts';
import { DELIVERY_SPAN_MS, type TimeRange } from '../../journal/landings.ts';
import type { MessageKind } from '../../journal/stored-event.ts';
import type { CheckProblem, DifferenceCause } from '../reconciliation-report.ts';
import type { FlowChange } from './check-state.ts';
import { platformProblem } from './platform-problem.ts';

/**
 * So long after a dataflow was made or changed its records can be lost.
 * Source: docs/platforms/adobe.md#lost-by-the-dataflow
 */
const SETTLE_MS = 300_000;
/** The clocks are compared by the dates of answers, which have whole seconds. */
const CLOCK_STEP_MS = 1_000;

/** Where the messages of one kind go. */
export interface Target {
  readonly kind: MessageKind;
  readonly flowId: string;
  readonly datasetId: string;
}

/** How AEP has set up a target. */
export interface TargetFacts extends Target {
  /** Epoch ms by the journal's clock of the last change of the dataflow; undefined if unknown. */
  readonly changedAt: number | undefined;
  readonly isDisabled: boolean;
  readonly isForProfile: boolean;
  /** So long Profile keeps events, ms; undefined: for ever. */
  readonly profileExpiryMs: number | undefined;
}

/** What is known about the targets, or the first call that failed. */
export type FactsResult =
  | { readonly ok: true; readonly value: readonly TargetFacts[] }
  | { readonly ok: false; readonly problem: CheckProblem };

export function targetsOf({ events, profile }: DestinationConfig): readonly Target[] {
  const isSent = profile !== undefined && profile.write !== 'off';
  return [{ ...events, kind: 'event' }, ...(isSent ? [{ ...profile, kind: 'profile' as const }] : [])];
}

async function factsOf(
  client: PlatformClient,
  target: Target,
): Promise<{ readonly ok: true; readonly value: TargetFacts } | Extract<FactsResult, { ok: false }>> {
  const { kind, flowId, datasetId } = target;
  const flow = await readFlowObject(client, 'flows', flowId);
  if (!flow.ok) return { ok: false, problem: platformProblem(flow.error) };
  const dataset = await readDataset(client, datasetId);
  if (!dataset.ok) return { ok: false, problem: platformProblem(dataset.error) };
  const changedAt = flow.value?.updatedAt;
  return {
    ok: true,
    value: {
      kind,
      flowId,
      datasetId,
      changedAt: changedAt === undefined || changedAt === 0 ? undefined : changedAt - client.clockAheadMs(),
      isDisabled: flow.value?.state === 'disabled',
      isForProfile: dataset.value?.enabled.has('unifiedProfile') === true,
      profileExpiryMs: dataset.value?.profileExpiryMs,
    },
  };
}

export async function readFacts(client: PlatformClient, targets: readonly Target[]): Promise<FactsResult> {
  const facts: TargetFacts[] = [];
  for (const target of targets) {
    const read = await factsOf(client, target);
    if (!read.ok) return read;
    facts.push(read.value);
  }
  return { ok: true, value: facts };
}

/** The spans in which what was delivered after a change can be lost. */
export function settlingRange({ at }: FlowChange): TimeRange {
  const from = Math.floor(at / DELIVERY_SPAN_MS) * DELIVERY_SPAN_MS;
  const until = Math.ceil((at + SETTLE_MS) / DELIVERY_SPAN_MS) * DELIVERY_SPAN_MS;
  return { from, until };
}

/** The part that two ranges share; undefined if they share none. */
export function intersection(one: TimeRange, other: TimeRange): TimeRange | undefined {
  const [from, until] = [Math.max(one.from, other.from), Math.min(one.until, other.until)];
  return from < until ? { from, until } : undefined;
}

/** Adds the changes that are new, and forgets those that no delivery after `mark` is near. */
export function withChanges(
  known: readonly FlowChange[],
  facts: readonly TargetFacts[],
  mark: number,
): readonly FlowChange[] {
  const seen = facts.flatMap(({ kind, changedAt }) =>
    changedAt === undefined ? [] : [{ kind, at: changedAt }],
  );
  // Each run compares the clocks of both sides again.
  const isKnown = ({ kind, at }: FlowChange): boolean =>
    known.some((one) => one.kind === kind && Math.abs(one.at - at) < DELIVERY_SPAN_MS);
  return [...known, ...seen.filter((one) => !isKnown(one))].filter((one) => settlingRange(one).until > mark);
}

/** Why messages that were delivered at a time can be missing. */
export function causeAt(
  settledAt: number,
  kind: MessageKind,
  changes: readonly FlowChange[],
  facts: readonly TargetFacts[],
): DifferenceCause {
  const own = facts.find((one) => one.kind === kind);
  // Switching it off is a change too, and a replay before it is on again would be lost as well.
  if (own?.isDisabled === true && settledAt >= (own.changedAt ?? 0) - CLOCK_STEP_MS) return 'flow-disabled';
  const isYoung = changes.some(
    (change) =>
      change.kind === kind &&
      settledAt >= change.at - CLOCK_STEP_MS &&
      settledAt < settlingRange(change).until,
  );
  if (isYoung) return 'flow-too-young';
  if (own?.isDisabled === true) return 'flow-disabled';
  return own?.isForProfile === false ? 'dataset-not-for-profile' : 'unknown';
}
