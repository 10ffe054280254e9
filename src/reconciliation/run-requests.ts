import { randomUUID } from 'node:crypto';
import type { Landings } from '../journal/landings.ts';
import type { RunRequest } from './reconcile-run.ts';

/* Runs that operators ask for: notes, so that any replica can be asked and the leader runs them. */

/** `capillary`: a source; `aep`: a destination. */
export type ReconcileSide = 'capillary' | 'aep';

export interface RunTarget {
  readonly side: ReconcileSide;
  /** Of the source or destination. */
  readonly name: string;
}

/** What became of one target of a run. Times are epoch ms. */
export interface TargetRun extends RunTarget {
  readonly state: 'waiting' | 'running' | 'ended';
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** Why there was nothing to run. */
  readonly detail?: string;
}

/** A run that an operator asked for. */
export interface RequestedRun extends RunRequest {
  readonly id: string;
  readonly by: string;
  /** Epoch ms. */
  readonly at: number;
  /** `ended` once all targets have. */
  readonly state: TargetRun['state'];
  readonly targets: readonly TargetRun[];
}

/** One target of a run that has not ended. */
export interface OpenRun extends RunTarget {
  readonly key: string;
  readonly request: RunRequest;
}

export interface RunRequests {
  /** @returns the id of the run; undefined if `MAX_OPEN_RUNS` runs have not ended yet */
  add(
    request: RunRequest & { readonly by: string },
    targets: readonly RunTarget[],
  ): Promise<string | undefined>;
  /** The newest first. */
  list(): Promise<readonly RequestedRun[]>;
  /** Of the runs that have not ended, the oldest first. */
  open(): Promise<readonly OpenRun[]>;
  started(key: string): Promise<void>;
  /** @param detail why there was nothing to run */
  ended(key: string, detail?: string): Promise<void>;
}

/** Scope of the notes. */
const SCOPE = 'runs';
/** A run of its own for each operator who looks at the same time, and some room. */
export const MAX_OPEN_RUNS = 20;
/** Runs that have ended are kept for those who wait for them, and as a short history. */
const KEPT_RUNS = 50;

/** A note: one target of one run, so that two loops never write the same one. */
interface Note extends Omit<TargetRun, 'state'>, RunRequest {
  readonly id: string;
  readonly by: string;
  readonly at: number;
}

function keyOf(id: string, { side, name }: RunTarget): string {
  return `${id}/${side}/${name}`;
}

function stateOf({ startedAt, endedAt }: Note): TargetRun['state'] {
  if (endedAt !== undefined) return 'ended';
  return startedAt === undefined ? 'waiting' : 'running';
}

function requestOf({ since, resend }: RunRequest): RunRequest {
  return {
    ...(since === undefined ? {} : { since }),
    ...(resend === undefined ? {} : { resend }),
  };
}

function targetOf(note: Note): TargetRun {
  const { side, name, startedAt, endedAt, detail } = note;
  return {
    side,
    name,
    state: stateOf(note),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(detail === undefined ? {} : { detail }),
  };
}

function runOf(notes: readonly [Note, ...Note[]]): RequestedRun {
  const [{ id, by, at, ...first }] = notes;
  const targets = notes.map(targetOf);
  const isIn = (state: TargetRun['state']): boolean => targets.every((target) => target.state === state);
  const state = (['ended', 'waiting'] as const).find(isIn) ?? 'running';
  return { id, by, at, ...requestOf(first), state, targets };
}

function runsOf(notes: ReadonlyMap<string, string>): readonly RequestedRun[] {
  const byId = new Map<string, [Note, ...Note[]]>();
  for (const json of notes.values()) {
    const note = JSON.parse(json) as Note;
    const others = byId.get(note.id);
    if (others === undefined) byId.set(note.id, [note]);
    else others.push(note);
  }
  return [...byId.values()].map(runOf).toSorted((a, b) => b.at - a.at);
}

/** @param now epoch ms */
export function createRunRequests(
  journal: Pick<Landings, 'reconciliationNotes' | 'saveReconciliationNotes'>,
  now: () => number,
): RunRequests {
  const read = (): Promise<ReadonlyMap<string, string>> => journal.reconciliationNotes(SCOPE);
  const update = async (key: string, change: Partial<Note>): Promise<void> => {
    const json = (await read()).get(key);
    if (json === undefined) return;
    const note = { ...(JSON.parse(json) as Note), ...change };
    await journal.saveReconciliationNotes(SCOPE, { [key]: JSON.stringify(note) });
  };

  return {
    async add({ by, ...request }, targets) {
      const runs = runsOf(await read());
      if (runs.filter(({ state }) => state !== 'ended').length >= MAX_OPEN_RUNS) return undefined;
      const id = randomUUID();
      const old = runs.filter(({ state }) => state === 'ended').slice(KEPT_RUNS);
      const removed = old.flatMap((run) => run.targets.map((target) => [keyOf(run.id, target), null]));
      const added = targets.map(({ side, name }) => {
        const note: Note = { id, by, at: now(), ...requestOf(request), side, name };
        return [keyOf(id, note), JSON.stringify(note)];
      });
      await journal.saveReconciliationNotes(SCOPE, Object.fromEntries([...removed, ...added]));
      return id;
    },
    list: async () => runsOf(await read()),
    async open() {
      const runs = runsOf(await read()).toReversed();
      return runs.flatMap((run) =>
        run.targets
          .filter(({ state }) => state !== 'ended')
          .map(({ side, name }) => ({
            key: keyOf(run.id, { side, name }),
            side,
            name,
            request: requestOf(run),
          })),
      );
    },
    started: (key) => update(key, { startedAt: now() }),
    ended: (key, detail) => update(key, { endedAt: now(), ...(detail === undefined ? {} : { detail }) }),
  };
}
