import type { SendAnswer } from '../simulator/sender.ts';
import { formatSpan } from './moment.ts';

/** One line on a terminal that is written over and over; nothing where standard error is no terminal. */
export interface SendProgress {
  note(answer: SendAnswer): void;
  clear(): void;
}

const CLEAR = '\r\u001B[K';
const EVERY_MS = 100;

/** `total`: how many deliveries there will be, about. */
export function createSendProgress(total: number): SendProgress {
  let settled = 0;
  let requests = 0;
  let shownAt = 0;
  return {
    note: ({ retryInMs, status, detail }) => {
      requests += 1;
      if (retryInMs === undefined) settled += 1;
      if (!process.stderr.isTTY || Date.now() - shownAt < EVERY_MS) return;
      shownAt = Date.now();
      const waits = retryInMs === undefined ? '' : `, ${status ?? detail}: again in ${formatSpan(retryInMs)}`;
      process.stderr.write(`${CLEAR}${settled} of about ${total} settled, ${requests} requests${waits}`);
    },
    clear: () => {
      if (process.stderr.isTTY) process.stderr.write(CLEAR);
    },
  };
}
