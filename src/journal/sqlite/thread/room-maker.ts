import { MIN_ID_RETENTION_MS } from '../../../config/cross-checks.ts';
import type { MaintenancePolicy, MaintenanceReport, StoreStatus } from '../../journal.ts';
import type { AnswerOf } from '../engine/calls.ts';
import type { Channel } from './channel.ts';

/** Time between two looks at the sizes, as of the intake, which closes at a higher size. */
export const LOOK_INTERVAL_MS = 1_000;
/** Time between two steps, for the calls of intake and delivery. */
const STEP_DELAY_MS = 20;
/**
 * Distance from a watermark that is kept: more than the one at which a closed intake opens again.
 */
const MAX_MARGIN_BYTES = 32 * 1_024 * 1_024;
/** Steps in a row that may find nothing, at the beginning of the walk and where it was left. */
const MAX_VAIN_STEPS = 4;

function marginBelow(watermark: number): number {
  return Math.min(MAX_MARGIN_BYTES, Math.floor(watermark / 16));
}

export type StoreSizes = Pick<StoreStatus, 'usedBytes' | 'freeBytes'>;

/** Whether the store is at a watermark, or so near that the next events may reach it. */
export function needsRoom(
  { usedBytes, freeBytes }: StoreSizes,
  { maxBytes, minFree }: Pick<MaintenancePolicy, 'maxBytes' | 'minFree'>,
): boolean {
  return usedBytes >= maxBytes - marginBelow(maxBytes) || freeBytes < minFree + marginBelow(minFree);
}

export interface RoomMakerParts {
  readonly channel: Pick<Channel, 'call'>;
  readonly status: () => Promise<StoreSizes>;
  readonly policy: () => MaintenancePolicy;
  readonly report: (report: MaintenanceReport) => void;
  readonly wait: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Removes what is no longer owed while the store is at a watermark, in steps. What is pending can
 * lie in front of it: then each round also continues where the last one ended.
 */
export function createRoomMaker({ channel, status, policy, report, wait, signal }: RoomMakerParts) {
  /** Where the last round ended. */
  let reached: number | undefined;

  const step = (after: number | undefined): Promise<AnswerOf<'makeRoom'>> => {
    const minIds = Math.min(policy().retention.ids, MIN_ID_RETENTION_MS);
    return channel.call('makeRoom', { after, minIds });
  };

  /** Steps until there is room, or too many of them have found nothing. */
  const walk = async (from: number | undefined, removed: { bodies: number; records: number }) => {
    let after = from;
    for (let vain = 0; vain < MAX_VAIN_STEPS; await wait(STEP_DELAY_MS)) {
      if (signal.aborted || !needsRoom(await status(), policy())) return undefined;
      const { bodies, records, next } = await step(after);
      removed.bodies += bodies;
      removed.records += records;
      vain = bodies + records > 0 ? 0 : vain + 1;
      if (vain > 0 && next === undefined) return undefined;
      after = next;
    }
    return after;
  };

  /** One round. Rejects if a step fails. */
  return async (): Promise<void> => {
    const removed = { bodies: 0, records: 0 };
    try {
      const front = await walk(undefined, removed);
      reached = front === undefined ? undefined : await walk(Math.max(front, reached ?? 0), removed);
    } finally {
      if (removed.bodies + removed.records > 0) report({ kind: 'made-room', ...removed });
    }
  };
}
