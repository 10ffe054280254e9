import { MIN_ID_RETENTION_MS } from '../config/cross-checks.ts';
import type { MaintenancePolicy, MaintenanceReport, StoreStatus } from './journal.ts';

/** Time between two looks at the sizes, as of the intake, which closes at a higher size. */
export const LOOK_INTERVAL_MS = 1_000;
/** Time between two steps, for the calls of intake and delivery. */
const STEP_DELAY_MS = 20;
/**
 * Distance from a watermark that is kept: more than the one at which a closed intake opens again.
 */
const MAX_MARGIN_BYTES = 32 * 1_024 * 1_024;

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

/** What one step has removed before its time, and whether another one may remove more. */
export interface RoomStep {
  readonly bodies: number;
  readonly records: number;
  readonly more: boolean;
}

export interface RoomMakerParts {
  /**
   * One step: bodies first, then records that were received `minIds` ms ago; each time the oldest
   * first. Nothing that is pending or a dead letter.
   */
  readonly makeRoom: (minIds: number) => Promise<RoomStep>;
  readonly status: () => Promise<StoreSizes>;
  readonly policy: () => MaintenancePolicy;
  readonly report: (report: MaintenanceReport) => void;
  readonly wait: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Removes what is no longer owed while the store is at a watermark, in steps. */
export function createRoomMaker({ makeRoom, status, policy, report, wait, signal }: RoomMakerParts) {
  const isNeeded = async (): Promise<boolean> => !signal.aborted && needsRoom(await status(), policy());

  /** One round. Rejects if a step fails. */
  return async (): Promise<void> => {
    const removed = { bodies: 0, records: 0 };
    try {
      for (let isMore = true; isMore && (await isNeeded()); await wait(STEP_DELAY_MS)) {
        const minIds = Math.min(policy().retention.ids, MIN_ID_RETENTION_MS);
        const { bodies, records, more } = await makeRoom(minIds);
        removed.bodies += bodies;
        removed.records += records;
        isMore = more;
      }
    } finally {
      if (removed.bodies + removed.records > 0) report({ kind: 'made-room', ...removed });
    }
  };
}
