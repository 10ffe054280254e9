import { SLOTS } from '../../fleet.ts';
import type { Sessions } from '../sessions/session.ts';
import { fairShare } from './fair-share.ts';
import { CREATE_SLOTS, RETURN_SLOTS, TAKE_SLOTS } from './fleet-statements.ts';
import type { FleetView } from './heartbeat.ts';
import type { SlotOwnership } from './slot-ownership.ts';

export interface SlotExchange {
  /** Takes what is missing to the fair share of each destination, and drains what is beyond it. */
  balance(view: FleetView): Promise<void>;
  /** Gives back what is drained. @returns whether there was any */
  giveBack(): Promise<boolean>;
}

export interface SlotExchangeParts {
  readonly sessions: Pick<Sessions, 'query'>;
  readonly replica: string;
  readonly ownership: SlotOwnership;
  readonly leaseMs: number;
}

interface TakenRow {
  readonly slot: number;
  readonly epoch: number;
}

export function createSlotExchange(parts: SlotExchangeParts): SlotExchange {
  const { sessions, replica, ownership, leaseMs } = parts;

  /** How many slots nobody has, as far as was read; all if they were created just now. */
  const countFree = async (destination: string, view: FleetView): Promise<number> => {
    const rows = view.slots.filter((row) => row.destination === destination);
    if (rows.reduce((sum, { count }) => sum + count, 0) < SLOTS) {
      await sessions.query('fleet', CREATE_SLOTS, [destination, SLOTS]);
      return SLOTS;
    }
    const alive = new Set([replica, ...view.others.map(({ id }) => id)]);
    const isFree = (owner: string | null): boolean =>
      owner === null || (view.mayTakeFromDead && !alive.has(owner));
    return rows.reduce((sum, { owner, count }) => sum + (isFree(owner) ? count : 0), 0);
  };

  const take = async (destination: string, slots: number, mayTakeFromDead: boolean): Promise<void> => {
    const params = [replica, leaseMs, mayTakeFromDead, destination, slots];
    const taken = await sessions.query<TakenRow>('fleet', TAKE_SLOTS, params);
    ownership.took(
      destination,
      taken.map(({ slot, epoch }) => [slot, epoch]),
    );
  };

  return {
    async balance(view) {
      for (const destination of ownership.destinations) {
        const interested = view.others.filter(({ destinations }) => destinations.includes(destination));
        const ids = [replica, ...interested.map(({ id }) => id)];
        const target = fairShare(destination, replica, ids);
        ownership.aimAt(destination, target);
        const missing = target - ownership.owned(destination).size;
        if (missing <= 0 || (await countFree(destination, view)) === 0) continue;
        await take(destination, missing, view.mayTakeFromDead);
      }
    },
    async giveBack() {
      let hasReturned = false;
      for (const destination of ownership.destinations) {
        const slots = ownership.returnable(destination);
        if (slots.length === 0) continue;
        // Before, so that no claim is made of what is given back. If it fails, a heartbeat sees it.
        ownership.returned(destination, slots);
        await sessions.query('fleet', RETURN_SLOTS, [replica, destination, slots]);
        hasReturned = true;
      }
      return hasReturned;
    },
  };
}
