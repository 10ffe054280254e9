import type { EventAnswer } from './admin-answers.ts';
import type { FittingColumn } from './fitting-table.ts';
import { formatTime } from './time-format.ts';

/** Columns of every list of events. */
export const EVENT_COLUMNS: readonly FittingColumn<EventAnswer>[] = [
  { heading: 'RECEIPT', cell: ({ receipt }) => receipt },
  { heading: 'RECEIVED', cell: ({ receivedAt }) => formatTime(receivedAt), leaveOut: 3 },
  { heading: 'SOURCE', cell: ({ source }) => source, leaveOut: 1 },
  { heading: 'EVENT', cell: ({ eventName }) => eventName, cutTo: 10 },
  { heading: 'CUSTOMER', cell: ({ customerId }) => customerId, leaveOut: 2 },
  { heading: 'STATE', cell: ({ state }) => state },
  { heading: 'REASON', cell: ({ reason }) => reason, cutTo: 10 },
];
