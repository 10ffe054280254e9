import { setTimeout as sleep } from 'node:timers/promises';
import type { ProvisionState } from './state-file.ts';
import { type Difference, type Looked, type Step, StepFailure, type StepKind } from './provision-step.ts';
import { fixOf, RUN_AGAIN, StepError } from './provision-stop.ts';

/** What a plan says about an object, or what `apply` has done with it. */
export type Outcome = 'found' | 'make' | 'change' | 'by hand' | 'made' | 'changed';

export interface StepResult {
  readonly key: string;
  readonly kind: StepKind;
  readonly name: string;
  /** Absent for what does not exist yet. */
  readonly id?: string;
  readonly outcome: Outcome;
  /** What differs, or has been changed. */
  readonly details: readonly string[];
  /** What a person has to do, each for one detail. */
  readonly fixes: readonly string[];
  /** Epoch ms at which a dataflow was made or last changed. */
  readonly changedAt?: number;
}

/** What the steps of a destination share. */
export interface StepRun {
  readonly state: ProvisionState;
  /** The ids of the objects so far, by the keys of their steps. */
  readonly ids: Map<string, string>;
  readonly now?: () => number;
  readonly wait?: (ms: number) => Promise<void>;
}

function found(step: Step, looked: Extract<Looked, { state: 'found' }>): Omit<StepResult, 'outcome'> {
  const { key, kind } = step;
  const { id, name, changedAt, differences } = looked;
  return {
    key,
    kind,
    name,
    id,
    details: differences.map(({ what }) => what),
    fixes: differences.flatMap(({ fix }) => fix ?? []),
    ...(changedAt === undefined ? {} : { changedAt }),
  };
}

function outcomeOf(differences: readonly Difference[]): Outcome {
  if (differences.some(({ change }) => change === undefined)) return 'by hand';
  return differences.length > 0 ? 'change' : 'found';
}

/** Looks at every object, and changes nothing. */
export async function planSteps(steps: readonly Step[], { ids }: StepRun): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (const step of steps) {
    const { key, kind, name } = step;
    const looked = await looking(step);
    if (looked.state === 'found') {
      ids.set(key, looked.id);
      results.push({ ...found(step, looked), outcome: outcomeOf(looked.differences) });
    } else if (looked.state === 'blocked') {
      const { what, fix } = looked;
      results.push({ key, kind, name, outcome: 'by hand', details: [what], fixes: [fix] });
    } else {
      results.push({ key, kind, name, outcome: 'make', details: [], fixes: [] });
    }
  }
  return results;
}

async function looking(step: Step): Promise<Looked> {
  try {
    return await step.look();
  } catch (error) {
    throw stepError(step, error);
  }
}

/**
 * How long after a POST of unknown outcome its object can be missing from the lists, by which it is
 * looked up.
 */
const LIST_DELAY_MS = 15_000;
const LOOK_INTERVAL_MS = 1_000;
const MAX_ATTEMPTS = 3;
/** An object has a few differences at most, and each can meet somebody else's change. */
const MAX_CHANGES = 12;

/**
 * Makes what is missing and changes what differs, one object after the other. It may be ended at
 * any point and run again: each object is looked up before it is made, also after an answer that
 * was lost.
 * @param onResult called as soon as a step is done
 * @throws StepError
 */
export async function applySteps(
  steps: readonly Step[],
  run: StepRun,
  onResult: (result: StepResult) => void,
): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (const step of steps) {
    const result = await applyStep(step, run);
    if (result.id !== undefined) run.ids.set(step.key, result.id);
    results.push(result);
    onResult(result);
  }
  return results;
}

/** The object, which may be missing from the lists until the deadline, epoch ms. */
async function lookUntil(step: Step, deadline: number, run: StepRun): Promise<Looked> {
  const { now = Date.now, wait = sleep } = run;
  for (;;) {
    const looked = await step.look();
    if (looked.state !== 'absent' || now() >= deadline) return looked;
    await wait(LOOK_INTERVAL_MS);
  }
}

/** Makes the object, or finds it if the answer was lost after it was made. */
async function makeObject(step: Step, run: StepRun): Promise<Looked> {
  const { state, now = Date.now } = run;
  const { key, kind, name } = step;
  for (let attempts = 1; ; attempts += 1) {
    await state.attempt(key);
    try {
      const id = await step.make();
      await state.record(key, { kind, name, id, by: 'made' });
      return { state: 'found', id, name, isOurs: true, differences: [] };
    } catch (error) {
      if (!(error instanceof StepFailure)) throw error;
      const isUnclear = error.error.ambiguous || error.error.kind === 'conflict';
      const looked = isUnclear ? await lookUntil(step, now() + LIST_DELAY_MS, run) : undefined;
      if (looked?.state === 'found') return looked;
      if (!error.error.ambiguous) {
        await state.forgetAttempt(key);
        throw error;
      }
      if (attempts === MAX_ATTEMPTS) throw error;
    }
  }
}

async function applyStep(step: Step, run: StepRun): Promise<StepResult> {
  const { state, now = Date.now } = run;
  const { key, kind, name } = step;
  // A clock that has been set back since does not make the wait longer.
  const attemptedAt = Math.min(state.attemptedAt(key) ?? Number.NEGATIVE_INFINITY, now());
  try {
    const before = await lookUntil(step, attemptedAt + LIST_DELAY_MS, run);
    const looked = before.state === 'absent' ? await makeObject(step, run) : before;
    if (looked.state === 'blocked') throw new StepError(step, looked.what, looked.fix);
    if (looked.state === 'absent') throw new StepError(step, 'it was made, and cannot be found', RUN_AGAIN);
    const { id, isOurs } = looked;
    const by = isOurs ? 'made' : 'found';
    const known = state.object(key);
    if (known?.id !== id || known.by !== by) await state.record(key, { kind, name: looked.name, id, by });
    run.ids.set(key, id);
    return before.state === 'absent'
      ? { key, kind, name, id, outcome: 'made', details: [], fixes: [], ...madeAt(kind, now()) }
      : await changeObject(step, looked);
  } catch (error) {
    throw stepError(step, error);
  }
}

function madeAt(kind: StepKind, now: number): { changedAt?: number } {
  return kind === 'dataflow' ? { changedAt: now } : {};
}

/** A change of an object that somebody else changes meanwhile is made again to what it is then. */
async function changeObject(step: Step, first: Extract<Looked, { state: 'found' }>): Promise<StepResult> {
  const changed: string[] = [];
  let looked: Looked = first;
  for (let attempts = 1; looked.state === 'found'; attempts += 1) {
    const possible = looked.differences.filter((difference) => difference.change !== undefined);
    const [next] = possible;
    if (next?.change === undefined) {
      const rest = outcomeOf(looked.differences);
      const outcome = rest === 'found' && changed.length > 0 ? 'changed' : rest;
      return {
        ...found(step, looked),
        outcome,
        details: [...changed, ...looked.differences.map(({ what }) => what)],
      };
    }
    if (attempts > MAX_CHANGES)
      throw new StepError(step, `the change has no effect: ${next.what}`, RUN_AGAIN);
    try {
      await next.change();
      changed.push(next.what);
    } catch (error) {
      const isRepeatable =
        error instanceof StepFailure && (error.error.ambiguous || error.error.kind === 'stale');
      if (!isRepeatable) throw error;
    }
    looked = await step.look();
  }
  throw new StepError(step, 'it has been deleted meanwhile', RUN_AGAIN);
}

function stepError(step: Step, error: unknown): unknown {
  if (!(error instanceof StepFailure)) return error;
  return new StepError(step, error.message, fixOf(error));
}
