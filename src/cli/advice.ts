import type { DestinationAnswer, RecordAnswer } from './admin-answers.ts';
import { formatMoment } from './moment.ts';

/** What to do about a dead letter, by its reason. */
const DEAD: Readonly<Record<string, string>> = {
  rejected:
    "Adobe's words above say what it did not take. Mend the schema, the mapping or the configuration (try it with `capillary-relay map`), then replay it.",
  poison:
    'It failed again and again while others passed. Look at the attempts above and at the payload, mend what is odd about it, then replay it.',
  expired:
    'It failed until it was too old (retry.maxAge). Mend what the attempts above tell of, then replay it.',
  'too-large':
    'It is larger than Adobe takes. Leave fields out by an override of its mapping, then replay it.',
  'payload-lost':
    'Its payload was on a damaged page when the store was salvaged. Its id is forgotten, so have Capillary send the event again.',
  mapping:
    'An override of its source failed on it, where the words above say. Mend the expression (try it with `capillary-relay map`), start the relay with it, then replay it.',
  'mapping-failed':
    'The mapping failed on it; the log of the relay has the error. Report it as a bug, and replay it with a relay that has it mended.',
};

/** What to do about an event that was left out, by its reason. */
const IGNORED: Readonly<Record<string, string>> = {
  'test-event':
    "It is a sample of Capillary's Test button. To deliver such samples write testEvents: deliver at the source, then replay it.",
  'no-identity': 'It names no customer, so Adobe could not file it. There is nothing to do.',
  'customer-deleted': 'Its customer was deleted after it happened. There is nothing to do.',
  unmapped:
    'Its name has no mapping of its own and the source wants such ones ignored. Write unmapped: generic or an override, then replay it.',
  discarded: 'An operator gave it up.',
};

const MALFORMED =
  "It is no event of this source; it was answered 400, which Capillary does not repeat. Mend the sender, or the source's orgIds, then replay it.";

const pending = ({ dueAt, isReplay }: RecordAnswer, destination: DestinationAnswer | undefined): string => {
  if (destination !== undefined && destination.state !== 'flowing') {
    const why = destination.reason === undefined ? '' : ` (${destination.reason})`;
    const end =
      destination.reason === 'operator'
        ? `Let it flow again with: capillary-relay destinations resume ${destination.name}`
        : 'It is tried again by itself; `capillary-relay destinations list` says when, and `capillary-relay check --connect` what is wrong.';
    return `It waits because the destination ${destination.name} is ${destination.state}${why}. ${end}`;
  }
  const when = dueAt === undefined ? '' : ` It is due since or at ${formatMoment(dueAt)}.`;
  const turn =
    isReplay === true ? 'its turn among the replays, which go slower than live traffic' : 'its turn';
  return `Nothing: it waits for ${turn}, perhaps behind an earlier event of the same customer.${when}`;
};

const replayable = (record: RecordAnswer): string => {
  if (!record.hasBody) return 'Its payload is gone, by retention or erasure, so it cannot be replayed.';
  return record.state === 'dead' || record.state === 'malformed'
    ? `Replay: capillary-relay dead-letters replay ${record.receipt}`
    : `Replay: capillary-relay events replay ${record.receipt}`;
};

/** What the operator should do next about an event. */
export const adviceFor = (record: RecordAnswer, destination: DestinationAnswer | undefined): string => {
  const { state, reason = '' } = record;
  switch (state) {
    case 'pending':
      return pending(record, destination);
    case 'delivered':
      return 'Nothing: Adobe took it. Whether it was stored Adobe decides later: look for its _id, or for the xaction id of the attempt, in Monitoring.';
    case 'ignored':
      return `${IGNORED[reason] ?? 'It was not for delivery.'}\n${replayable(record)}`;
    case 'malformed':
      return `${MALFORMED}\n${replayable(record)}`;
    default:
      return `${DEAD[reason] ?? 'Mend what the attempts above tell of, then replay it.'}\n${replayable(record)}`;
  }
};
