import type { PlatformClient, PlatformResult } from '../../adobe/platform/platform-client.ts';
import {
  type EntityIdentity,
  readEvents,
  readProfile,
  type StoredProfile,
} from '../../adobe/platform/profile-access.ts';
import type { CheckProblem } from '../reconciliation-report.ts';
import { platformProblem } from './platform-problem.ts';

/** A value that was read from Profile, or why it could not be. */
export type Looked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: CheckProblem };

export interface SoughtEvent {
  /** `_id`. */
  readonly id: string;
  /** Epoch ms of its `timestamp`. */
  readonly at: number;
}

/** How many events and profiles were looked up. */
export interface ReadCounts {
  readonly events: number;
  readonly profiles: number;
}

/** Reads Profile, with a limited number of calls in each run. */
export interface ProfileReader {
  /** Which of the events of one person Profile has, by `_id`. */
  events(identity: EntityIdentity, sought: readonly SoughtEvent[]): Promise<Looked<ReadonlySet<string>>>;
  /** Undefined if Profile does not know the person. */
  profile(identity: EntityIdentity): Promise<Looked<StoredProfile | undefined>>;
  /** Allows the calls of another run, whose counts begin at 0. */
  refill(): void;
  /** What this run has read. */
  counts(): ReadCounts;
}

export interface ProfileReaderParts {
  readonly client: PlatformClient;
  readonly callsPerRun: number;
  /** `ok`, or the kind of the failure. */
  readonly onCall: (outcome: string) => void;
}

/** Profile's own largest page is 1000 events; a page that is full may not have all. */
const MAX_EVENTS = 1_000;
/** Profile may keep whole seconds. */
const TIME_MARGIN_MS = 1_000;

const BUDGET: CheckProblem = {
  code: 'budget',
  detail: 'the calls of one run are used up; the next one continues',
};

/** Whether the look-up of events is licensed cannot be told from its 404. */
const UNREADABLE: CheckProblem = {
  code: 'profile-unreadable',
  detail: 'Profile answers 404 to every look-up: Adobe offers it to customers of Real-Time CDP Ultimate only',
  fix: 'without it events are compared by counts only; set `readBack: 0` to leave it out',
};

export function createProfileReader({ client, callsPerRun, onCall }: ProfileReaderParts): ProfileReader {
  let left = callsPerRun;
  let events = 0;
  let profiles = 0;
  /** Profile has answered a look-up, so that a 404 means an unknown person. */
  let hasAnswered = false;

  const call = async <T>(request: () => Promise<PlatformResult<T>>): Promise<Looked<T>> => {
    if (left <= 0) return { ok: false, problem: BUDGET };
    left -= 1;
    const answer = await request();
    onCall(answer.ok ? 'ok' : answer.error.kind);
    return answer.ok ? answer : { ok: false, problem: platformProblem(answer.error) };
  };

  const eventsOf = async (
    identity: EntityIdentity,
    sought: readonly SoughtEvent[],
  ): Promise<Looked<ReadonlySet<string>>> => {
    const times = sought.map(({ at }) => at);
    const query = {
      from: Math.min(...times) - TIME_MARGIN_MS,
      to: Math.max(...times) + TIME_MARGIN_MS,
      limit: MAX_EVENTS,
      fields: ['_id', 'timestamp'],
      isStrict: true,
    };
    const read = await call(() => readEvents(client, identity, query));
    if (!read.ok) {
      if (read.problem.code !== 'not-found') return read;
      return hasAnswered ? { ok: true, value: new Set() } : { ok: false, problem: UNREADABLE };
    }
    hasAnswered = true;
    const found = new Set(read.value.map(({ id }) => id));
    const [only] = sought;
    if (read.value.length < MAX_EVENTS || sought.length === 1 || only === undefined)
      return { ok: true, value: found };
    // The page is full: each of the others is looked up by its own time.
    for (const one of sought) {
      if (found.has(one.id)) continue;
      const single = await eventsOf(identity, [one]);
      if (!single.ok) return single;
      for (const id of single.value) found.add(id);
    }
    return { ok: true, value: found };
  };

  return {
    async events(identity, sought) {
      const read = await eventsOf(identity, sought);
      if (read.ok) events += sought.length;
      return read;
    },
    async profile(identity) {
      const read = await call(() => readProfile(client, identity));
      if (!read.ok) return read;
      if (read.value === undefined && !hasAnswered) return { ok: false, problem: UNREADABLE };
      hasAnswered = true;
      profiles += 1;
      return read;
    },
    refill() {
      left = callsPerRun;
      events = 0;
      profiles = 0;
    },
    counts: () => ({ events, profiles }),
  };
}
