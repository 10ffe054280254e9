import { setTimeout as sleep } from 'node:timers/promises';
import type { FleetNotice } from '../../fleet.ts';

/** A payload of NOTIFY has less than 8,000 bytes. */
const MAX_PAYLOAD_BYTES = 7_500;

/** What one replica tells the others, as JSON. */
interface Payload {
  /** Id of the replica that sent it. */
  readonly from: string;
  /** Destinations at which something became claimable. */
  readonly claimable?: readonly string[];
  readonly notices?: readonly FleetNotice[];
  /** Slots or replicas have changed: everybody should look at once. */
  readonly look?: boolean;
}

export interface NoticeListeners {
  readonly onNotice: (notice: FleetNotice) => void;
  readonly onClaimable: (destination: string) => void;
  readonly onLook: () => void;
}

/**
 * Messages between replicas. What is sent within a few ms goes together, and one message is on its
 * way at a time. All of them are hints: what could not be sent is forgotten.
 */
export interface Notices {
  publish(notice: FleetNotice): void;
  hintClaimable(destination: string): void;
  look(): void;
  /** What the database delivers, also of this process. */
  received(payload: string): void;
  /** The payload with which a replica says goodbye. */
  readonly goodbye: string;
  close(): void;
}

export interface NoticesParts {
  readonly replica: string;
  /** Sends a payload to all replicas. */
  readonly send: (payload: string) => Promise<unknown>;
  /** ms between two of them. */
  readonly intervalMs: number;
  readonly listeners: NoticeListeners;
}

/** Undefined if somebody else has used the channel. */
function parsePayload(text: string): Payload | undefined {
  try {
    const payload = JSON.parse(text) as Payload | null;
    return typeof payload?.from === 'string' ? payload : undefined;
  } catch {
    return undefined;
  }
}

export function createNotices(parts: NoticesParts): Notices {
  const { replica, send, intervalMs, listeners } = parts;
  const claimable = new Set<string>();
  let notices: FleetNotice[] = [];
  let isLooking = false;
  let isBusy = false;
  let isClosed = false;

  /** The next payload; what does not fit into it waits for the one after. */
  const takePayload = (): string | undefined => {
    if (claimable.size + notices.length === 0 && !isLooking) return undefined;
    const first = { from: replica, ...(isLooking && { look: true }) };
    isLooking = false;
    const chosen = { claimable: [] as string[], notices: [] as FleetNotice[] };
    const toText = (): string => JSON.stringify({ ...first, ...chosen } satisfies Payload);
    const fits = (): boolean => Buffer.byteLength(toText()) <= MAX_PAYLOAD_BYTES;
    for (let notice = notices.shift(); notice !== undefined; notice = notices.shift()) {
      chosen.notices.push(notice);
      if (fits()) continue;
      chosen.notices.pop();
      notices.unshift(notice);
      break;
    }
    for (const destination of claimable) {
      chosen.claimable.push(destination);
      if (fits()) claimable.delete(destination);
      else {
        chosen.claimable.pop();
        break;
      }
    }
    return toText();
  };

  const flush = (): void => {
    if (isBusy || isClosed) return;
    const payload = takePayload();
    if (payload === undefined) return;
    isBusy = true;
    void sendOne(payload);
  };

  const sendOne = async (payload: string): Promise<void> => {
    await Promise.allSettled([send(payload), sleep(intervalMs, undefined, { ref: false })]);
    isBusy = false;
    flush();
  };

  return {
    publish(notice) {
      notices.push(notice);
      flush();
    },
    hintClaimable(destination) {
      claimable.add(destination);
      flush();
    },
    look() {
      isLooking = true;
      flush();
    },
    received(text) {
      const payload = parsePayload(text);
      if (payload === undefined || payload.from === replica) return;
      for (const destination of payload.claimable ?? []) listeners.onClaimable(destination);
      for (const notice of payload.notices ?? []) listeners.onNotice(notice);
      if (payload.look === true) listeners.onLook();
    },
    goodbye: JSON.stringify({ from: replica, look: true } satisfies Payload),
    close() {
      isClosed = true;
    },
  };
}
