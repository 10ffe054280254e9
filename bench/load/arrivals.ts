import { percentiles, type Percentiles } from '../statistics.ts';
import { HOT_CUSTOMER } from './requests.ts';

/** Counts of landed messages. */
export interface Counts {
  /** Distinct events, by `_id`. */
  readonly events: number;
  /** Messages of an event that had landed before. */
  readonly repeated: number;
  /** Profile records. */
  readonly profiles: number;
}

/** ms from sending an event (its `timestamp`, from Capillary's createdAt) until it landed. */
export interface Times {
  /** Events of the hot customer. */
  readonly hot: Percentiles;
  readonly others: Percentiles;
}

interface Entity {
  readonly _id?: string;
  readonly timestamp?: string;
  readonly identityMap: Readonly<Record<string, readonly { readonly id: string }[]>>;
}

export interface Arrivals {
  /** @param at epoch ms */
  add(message: unknown, at: number): void;
  counts(): Counts;
  times(): Times;
  reset(): void;
}

const HOT_ID = String(HOT_CUSTOMER);

/** Counts the messages that an inlet received. */
export function createArrivals(): Arrivals {
  let ids = new Set<string>();
  let repeated = 0;
  let profiles = 0;
  let times: Record<keyof Times, number[]> = { hot: [], others: [] };
  return {
    add(message, at) {
      const { header, body } = message as {
        header: { flowId: string };
        body: { xdmEntity: Entity };
      };
      if (header.flowId === 'profile-flow') {
        profiles += 1;
        return;
      }
      const { _id = '', timestamp = '', identityMap } = body.xdmEntity;
      // 16 digits are enough to distinguish a million events and need a third of the memory.
      const id = _id.slice('cap-'.length, 'cap-'.length + 16);
      if (ids.has(id)) repeated += 1;
      ids.add(id);
      const isHot = identityMap['capillaryId']?.[0]?.id === HOT_ID;
      times[isHot ? 'hot' : 'others'].push(at - Date.parse(timestamp));
    },
    counts: () => ({ events: ids.size, repeated, profiles }),
    times: () => ({ hot: percentiles(times.hot), others: percentiles(times.others) }),
    reset() {
      ids = new Set();
      repeated = 0;
      profiles = 0;
      times = { hot: [], others: [] };
    },
  };
}
