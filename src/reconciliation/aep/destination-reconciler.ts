import type { Doubt, Landings } from '../../journal/landings.ts';
import type { Reconciler } from '../reconcile-run.ts';
import type { CheckProblem, DestinationReconciliation, Difference } from '../reconciliation-report.ts';
import { createBatchNotes } from './batch-notes.ts';
import { type CheckState, createCheckState, type OpenRange } from './check-state.ts';
import { checkCounts, openAgain } from './count-check.ts';
import type { DestinationReconcilerParts } from './destination-parts.ts';
import { buildReport } from './destination-report.ts';
import { targetDifference } from './doubt-texts.ts';
import { knowledgeOf } from './record-knowledge.ts';
import { createFailedBatchCheck } from './failed-batch-check.ts';
import { readFacts, type TargetFacts, targetsOf } from './flow-causes.ts';
import { createProfileReader } from './profile-reader.ts';
import { checkRange, isReplayed, isSettled, type RangeCheckParts } from './range-check.ts';
import { checkDoubts, checkWatched, type WatchedCheckParts } from './watched-check.ts';
import { withoutMissing } from './window-account.ts';

/** At 100 ms each they take some minutes; what is left is for the next run. */
const CALLS_PER_RUN = 2_000;

/** What the checks of one run have found. */
interface CheckResult {
  readonly problems: readonly CheckProblem[];
  /** Those that are not doubts about an event. */
  readonly differences: readonly Difference[];
  /** Epoch ms; absent if the watched events could not be read back completely. */
  readonly seesProfileUntil?: number;
}

/** Goes on with the ranges whose events are looked up. */
async function checkRanges(
  state: CheckState,
  parts: RangeCheckParts,
  { confirm }: Pick<Landings, 'confirm'>,
  now: () => number,
  signal: AbortSignal,
): Promise<CheckProblem | undefined> {
  const replace = async (old: OpenRange, next: OpenRange | undefined): Promise<void> => {
    const counts = await state.counts();
    const isOld = (one: OpenRange): boolean =>
      one.from === old.from && one.until === old.until && one.cause === old.cause;
    const open = counts.open.flatMap((one) => (isOld(one) ? (next === undefined ? [] : [next]) : [one]));
    if (next !== undefined) return state.saveCounts({ ...counts, open });
    // What was missing beyond the deficit was carried on as under way.
    const { missing, deficit } = old;
    const carry = {
      event: withoutMissing(counts.carry.event, missing.event - deficit.event),
      profile: withoutMissing(counts.carry.profile, missing.profile - deficit.profile),
    };
    return state.saveCounts({ ...counts, open, carry });
  };
  for (const open of (await state.counts()).open) {
    signal.throwIfAborted();
    const { range, problem } = await checkRange(open, parts, (next) => replace(open, next), signal);
    if (problem !== undefined) return problem;
    if (!isSettled(range) && !(await isReplayed(range, parts))) continue;
    const { confirms } = range;
    if (confirms !== undefined) await confirm(parts.destination, { ...confirms, since: now() });
    await replace(range, undefined);
  }
  return undefined;
}

/**
 * Compares what was delivered to a destination with what AEP has: its failed batches, its counts,
 * and Profile. docs/reconciliation.md says what it can see.
 */
export function createDestinationReconciler(
  parts: DestinationReconcilerParts,
): Reconciler<DestinationReconciliation> {
  const { destination, client, journal, sentRecords, observer, now } = parts;
  const { failedBatches = createFailedBatchCheck(parts) } = parts;
  const { name, reconcile } = destination;
  if (reconcile === undefined) throw new Error(`destination ${name} has no reconcile`);
  const state = createCheckState(journal, name);
  const batchNotes = createBatchNotes(journal, name);
  const onCall = (outcome: string): void => observer.called('aep', name, outcome);
  const reader = createProfileReader({ client, callsPerRun: parts.callsPerRun ?? CALLS_PER_RUN, onCall });

  const reportDoubts = (doubts: readonly Doubt[]): void => {
    for (const [code, all] of Map.groupBy(doubts, (doubt) => doubt.code)) {
      const cause = all[0]?.detail.split(':')[0] ?? 'unknown';
      observer.found({ side: 'aep', name, kind: code, cause, count: all.length });
    }
  };

  /** What each check of a run needs, as far as AEP says how its targets are set up. */
  const partsOf = async (
    facts: readonly TargetFacts[],
    exactSince: number,
  ): Promise<WatchedCheckParts & RangeCheckParts> => ({
    destination: name,
    reader,
    journal,
    watching: journal,
    sentRecords,
    facts,
    exactSince,
    changes: (await state.counts()).changes,
    profileHorizon: now() - reconcile.profileDelay,
    now: now(),
    profileDelay: reconcile.profileDelay,
    onDoubts: reportDoubts,
  });

  /** Each check of its own: what one of them lacks does not keep the others from running. */
  const check = async (signal: AbortSignal, since: number | undefined): Promise<CheckResult> => {
    const problems: CheckProblem[] = [];
    const differences: Difference[] = [];
    const add = (problem: CheckProblem | undefined): void => {
      if (problem !== undefined) problems.push(problem);
    };
    add((await failedBatches.check(signal, since)).problem);
    const facts = await readFacts(client, targetsOf(destination));
    onCall(facts.ok ? 'ok' : facts.problem.code);
    if (!facts.ok) return { problems: [...problems, facts.problem], differences };
    if (reconcile.readBack > 0)
      differences.push(...facts.value.filter(({ isForProfile }) => !isForProfile).map(targetDifference));
    const before = await state.run();
    const knowledge = await knowledgeOf(parts, before.knowledge);
    if (knowledge !== before.knowledge) await state.saveRun({ ...before, knowledge });
    add(await checkDoubts(await partsOf(facts.value, knowledge.since), signal));
    add(
      (
        await checkCounts(
          { destination: name, reconcile, client, journal, state, batchNotes, onCall, now },
          facts.value,
          signal,
        )
      ).problem,
    );
    if (since !== undefined) await openAgain(state, since);
    const ranges = await partsOf(facts.value, knowledge.since);
    add(await checkRanges(state, ranges, journal, now, signal));
    const watched = await checkWatched(ranges, signal);
    add(watched.problem);
    differences.push(...watched.differences);
    return { problems, differences, ...(watched.problem ? {} : { seesProfileUntil: ranges.profileHorizon }) };
  };

  const remember = async (result: CheckResult): Promise<void> => {
    const { problem: _, readBack, ...before } = await state.run();
    const read = reader.counts();
    const { differences, seesProfileUntil } = result;
    // That the calls of a run are used up is no failure: the next one continues.
    const problem = result.problems.find(({ code }) => code !== 'budget');
    await state.saveRun({
      ...before,
      ...(problem === undefined ? { lastRunAt: now() } : { problem }),
      readBack: { events: readBack.events + read.events, profiles: readBack.profiles + read.profiles },
      ...(seesProfileUntil === undefined ? {} : { seesProfileUntil }),
      // Each run finds again what is open.
      differences: [...differences, ...before.differences.filter(({ isOpen }) => !isOpen)],
    });
  };

  const report = () => buildReport({ ...parts, failedBatches, reconcile, state });

  return {
    name,
    every: reconcile.every,
    async run({ since }, signal) {
      const startedAt = now();
      const end = (outcome: 'ok' | 'differences' | 'failed', problem?: string): void =>
        observer.runEnded({ side: 'aep', name, outcome, problem, durationMs: now() - startedAt });
      try {
        reader.refill();
        await remember(await check(signal, since));
        const { state: outcome, problem } = await report();
        if (outcome === 'failing') end('failed', problem?.code);
        else end(outcome === 'differences' ? outcome : 'ok');
      } catch (error) {
        if (!signal.aborted) end('failed');
        throw error;
      }
    },
    report,
    close: () => client.close(),
  };
}
