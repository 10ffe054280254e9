import type { DestinationAnswer, RecordAnswer } from './admin-answers.ts';
import { formatMoment } from './moment.ts';
import { printable } from './printable.ts';

/** What to do about a dead letter, by its reason. */
const DEAD: Readonly<Record<string, string>> = {
  rejected:
    "Adobe's words above say what it did not take. Mend the schema, the mapping or the configuration (try it with the command below), then replay it.",
  poison:
    'It failed again and again while others passed. Look at the attempts above and at the payload, mend what is odd about it, then replay it.',
  expired:
    'It failed until it was too old (retry.maxAge). Mend what the attempts above tell of, then replay it.',
  'too-large':
    'It is larger than Adobe takes. Leave fields out by an override of its mapping, then replay it.',
  'payload-lost':
    'Its payload was on a damaged page when the store was salvaged. Its id is forgotten, so have Capillary send the event again.',
  mapping:
    'An override of its source failed on it, where the words above say. Mend the expression (try it with the command below), start the relay with it, then replay it.',
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

/** A command for the same relay. */
type Write = (words: string) => string;

function lines(...all: readonly (string | undefined)[]): string {
  return all.filter((line) => line !== undefined).join('\n');
}

function stopped(destination: DestinationAnswer, command: Write): string {
  const { name, state, reason, detail, nextTryAt } = destination;
  const why = reason === undefined ? '' : ` (${reason})`;
  const words = detail === undefined || reason === 'operator' ? '' : ` It was told: ${printable(detail)}`;
  const waits = `It waits because the destination ${name} is ${state}${why}.${words}`;
  if (reason === 'operator')
    return lines(waits, `Let it flow again: ${command(`destinations resume ${name}`)}`);
  const next = nextTryAt === undefined ? '' : `, next at ${formatMoment(nextTryAt)}`;
  return lines(
    `${waits} It is tried again by itself${next}.`,
    'What is wrong:     capillary-relay check --config relay.yaml --connect',
    `Once it is mended: ${command(`destinations resume ${name}`)}`,
  );
}

function pending(record: RecordAnswer, destination: DestinationAnswer | undefined, command: Write): string {
  const { dueAt, isReplay, customerId } = record;
  if (destination !== undefined && destination.state !== 'flowing') return stopped(destination, command);
  const when = dueAt === undefined ? '' : ` It is due since or at ${formatMoment(dueAt)}.`;
  const turn =
    isReplay === true ? 'its turn among the replays, which go slower than live traffic' : 'its turn';
  return lines(
    `Nothing: it waits for ${turn}, perhaps behind an earlier event of the same customer.${when}`,
    customerId === undefined
      ? undefined
      : `Its neighbours: ${command(`events --customer-id ${shellWord(customerId)} --state pending`)}`,
  );
}

/** A word as a POSIX shell takes it: what a customer's id or a reason holds is not for the shell to read. */
function shellWord(text: string): string {
  return /^[\w.@:+-]+$/.test(text) ? text : `'${printable(text).replaceAll("'", String.raw`'\''`)}'`;
}

function replayable({ hasBody, state, receipt }: RecordAnswer, command: Write): string {
  if (!hasBody) return 'Its payload is gone, by retention or erasure, so it cannot be replayed.';
  const group = state === 'dead' || state === 'malformed' ? 'dead-letters' : 'events';
  return `Replay: ${command(`${group} replay ${receipt}`)}`;
}

/** Looking closer at a dead letter: what was sent, the mapping of today, and others that died of the same. */
function closer({ hasBody, receipt, reason = '', source }: RecordAnswer, command: Write): string {
  return lines(
    hasBody ? `What came and went: ${command(`explain ${receipt} --body`)}` : undefined,
    hasBody
      ? `Map it again: ${command(`explain ${receipt} --body --json`)} | jq .body | capillary-relay map - --source ${source} --config relay.yaml`
      : undefined,
    `More like it: ${command(`dead-letters list --source ${source} --reason ${shellWord(reason)}`)}`,
  );
}

/**
 * What the operator should do next about an event.
 * @param options by which a command finds the same relay, such as ` --url http://…`; empty for the default
 */
export function adviceFor(
  record: RecordAnswer,
  destination: DestinationAnswer | undefined,
  options: string,
): string {
  const { state, reason = '' } = record;
  const command: Write = (words) => `capillary-relay ${words}${options}`;
  switch (state) {
    case 'pending':
      return pending(record, destination, command);
    case 'delivered':
      return 'Nothing: Adobe took it. Whether it was stored Adobe decides later: look for its _id, or for the xaction id of the attempt, in Monitoring.';
    case 'ignored':
      return lines(IGNORED[reason] ?? 'It was not for delivery.', replayable(record, command));
    case 'malformed':
      return lines(MALFORMED, replayable(record, command));
    default:
      return lines(
        DEAD[reason] ?? 'Mend what the attempts above tell of, then replay it.',
        closer(record, command),
        replayable(record, command),
      );
  }
}
