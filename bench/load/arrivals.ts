import { percentiles, type Percentiles } from '../statistics.ts';
import { HOT_CUSTOMER } from './requests.ts';

/** What has landed. */
export interface Counts {
  /** Different events, by `_id`. */
  readonly events: number;
  /** Messages that brought an event a second time. */
  readonly again: number;
  /** Profile records. */
  readonly profiles: number;
}

/** ms from when an event was sent (its `timestamp`, which comes from Capillary's createdAt) until it was here. */
export interface Times {
  /** Of the one customer with very many events. */
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

/** Counts the messages that an inlet was sent. */
export function createArrivals(): Arrivals {
  let ids = new Set<string>();
  let again = 0;
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
      // The first 16 digits tell a million events apart, in a third of the memory.
      const id = _id.slice('cap-'.length, 'cap-'.length + 16);
      if (ids.has(id)) again += 1;
      ids.add(id);
      const isHot = identityMap['capillaryId']?.[0]?.id === HOT_ID;
      times[isHot ? 'hot' : 'others'].push(at - Date.parse(timestamp));
    },
    counts: () => ({ events: ids.size, again, profiles }),
    times: () => ({ hot: percentiles(times.hot), others: percentiles(times.others) }),
    reset() {
      ids = new Set();
      again = 0;
      profiles = 0;
      times = { hot: [], others: [] };
    },
  };
}
