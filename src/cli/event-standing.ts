import type { RecordAnswer } from './admin-answers.ts';
import { messageName } from './event-timeline.ts';
import { formatSpan } from './moment.ts';

/** What Adobe has of it. */
function atAdobe({ delivered }: RecordAnswer): string {
  return delivered.length === 0
    ? 'Adobe has nothing of it'
    : `Adobe has its ${delivered.map(messageName).join(' and its ')}`;
}

function attempts({ timeline }: RecordAnswer): string {
  const count = timeline.filter(({ what }) => what === 'attempt').length;
  return count === 1 ? '1 attempt' : `${count} attempts`;
}

function took({ receivedAt, settledAt }: RecordAnswer): string {
  return settledAt === undefined
    ? ''
    : `, ${formatSpan(Math.max(0, Date.parse(settledAt) - Date.parse(receivedAt)))} after it came`;
}

/**
 * Where an event stands, in a sentence, for who was just woken.
 * @param now epoch ms
 */
export function standingOf(record: RecordAnswer, now: number): string {
  const { state, receivedAt, isReplay } = record;
  switch (state) {
    case 'pending': {
      const age = formatSpan(Math.max(0, now - Date.parse(receivedAt)));
      const how = isReplay === true ? 'was replayed and waits to be sent again' : 'waits to be sent';
      return `It ${how}; it came ${age} ago. So far: ${attempts(record)}. ${atAdobe(record)}. Nothing is lost.`;
    }
    case 'delivered':
      return `Adobe took it${took(record)}, with ${attempts(record)}.`;
    case 'ignored':
      return `It was accepted, and is not for delivery. ${atAdobe(record)}.`;
    case 'malformed':
      return 'Its sender was proven, but it is no event. It was never accepted, and is kept as it came.';
    default:
      return `It was given up${took(record)}, with ${attempts(record)}, and is kept as a dead letter. ${atAdobe(record)}.`;
  }
}
