import type { DestinationAnswer, RecordAnswer } from '../admin-answers.ts';
import { isTruncated } from '../../intake/truncated-body.ts';
import { toPrintable } from '../table.ts';
import { formatTime } from '../time-format.ts';

/** Advice for a dead letter, by its reason. */
const DEAD_ADVICE: Readonly<Record<string, string>> = {
  rejected:
    "Adobe's answer above says what it rejected. Fix the schema, the mapping or the configuration (test it with the command below), then replay the event.",
  poison:
    'It failed repeatedly while other events passed. Check the attempts above and the payload, fix the cause, then replay the event.',
  expired:
    'It kept failing until it was older than retry.maxAge. Fix the cause shown by the attempts above, then replay the event.',
  'too-large':
    'It is larger than Adobe accepts. Leave out fields with a mapping override, then replay the event.',
  'payload-lost':
    'Its payload was on a damaged page when the store was salvaged. Its id is no longer known to the relay, so ask Capillary to send the event again.',
  mapping:
    'A mapping override of its source failed, as described above. Fix the expression (test it with the command below), restart the relay with it, then replay the event.',
  'mapping-failed':
    'The mapping failed because of a defect; the log of the relay has the error. Report it as a bug, and replay the event with a relay in which it is fixed.',
};

/** Advice for an ignored event, by its reason. */
const IGNORED_ADVICE: Readonly<Record<string, string>> = {
  'test-event':
    "It is a sample from Capillary's Test button. To deliver samples, set testEvents: deliver on the source, then replay the event.",
  'no-identity':
    'It identifies no customer, so Adobe could not assign it to a profile. There is nothing to do.',
  'customer-deleted': 'Its customer was deleted after it happened. There is nothing to do.',
  unmapped:
    'No mapping exists for its name, and the source ignores unmapped events. Set unmapped: generic or add an override, then replay the event.',
  discarded: 'An operator discarded it.',
};

const MALFORMED_ADVICE =
  "It is not a valid event of this source. It was answered 400, after which Capillary does not retry. Fix the sender, or the source's orgIds, then replay it.";

const DIFFERING_ADVICE =
  'Duplicates of it have other data: its sender gives one eventId to different events, or changes an event and sends it again. Only the first is delivered. Fix the sender, which must give each event an eventId of its own or none.';

const REFUSED_TOKEN_ADVICE =
  'The inlet refuses new tokens, too, so the credential works but may not write: check the role and the sandbox of its technical account. If the error says that the token is empty, the destination has authenticated: false.';

/** What a stop means whose cause is not in the last error alone. */
const STOP_ADVICE: Readonly<Record<string, string>> = {
  unauthorized: REFUSED_TOKEN_ADVICE,
  forbidden: REFUSED_TOKEN_ADVICE,
  'ip-not-allowed': "Adobe's allow list of addresses does not contain the relay's outgoing address.",
  failing:
    "Adobe is failing, or something on the path to it. A network error, or an answer that is not Adobe's, points to a proxy, a firewall or DNS.",
  'ims-invalid_client':
    'IMS refuses the credential. Put its id and a current secret into ims.clientId and ims.clientSecrets; a changed secret file is tried at once.',
  'ims-invalid_scope': 'Compare ims.scopes with the scopes of the credential in the Developer Console.',
  'ims-unauthorized_client': 'The credential in ims must be of the type OAuth Server-to-Server.',
  'ims-refused':
    'IMS, or a proxy that answers in its place, refuses the token request. Check ims.url and the path to it.',
  'ims-throttled': 'IMS throttles requests for tokens. There is nothing to do.',
  'ims-unavailable': 'IMS is failing. There is nothing to do unless a proxy answers in its place.',
  'ims-network': 'IMS cannot be reached. Check ims.url, DNS, the firewall and the proxy.',
  'foreign-answer':
    'Something other than Adobe answers, such as a proxy, a gateway or a login page: nothing was delivered. Let the requests through to inletUrl.',
  'everything-refused':
    'Adobe refuses the messages of several customers and takes none, so the cause is probably the dataset, the schema or the flow of the destination and not one event.',
};
const TRUNCATED_ADVICE =
  'Only the beginning of its body is stored, so it cannot be replayed. It was answered 413, after which Capillary does not retry. Raise server.bodyLimit, have the event sent again, then discard this.';

/** Completes a command line, so that it reaches the same relay. */
type CommandLine = (args: string) => string;

function joinLines(...all: readonly (string | undefined)[]): string {
  return all.filter((line) => line !== undefined).join('\n');
}

function adviseNotFlowing(destination: DestinationAnswer, commandLine: CommandLine): string {
  const { name, state, reason, detail, nextTryAt } = destination;
  const cause = reason === undefined ? '' : ` (${reason})`;
  const lastError =
    detail === undefined || reason === 'operator' ? '' : ` Last error: ${toPrintable(detail)}`;
  const waits = `It waits because the destination ${name} is ${state}${cause}.${lastError}`;
  const resume = commandLine(`destinations resume ${name}`);
  if (reason === 'operator') return joinLines(waits, `Resume it: ${resume}`);
  const next = nextTryAt === undefined ? '' : `, next at ${formatTime(nextTryAt)}`;
  return joinLines(
    `${waits} The relay retries automatically${next}.`,
    STOP_ADVICE[reason ?? ''],
    'Find the cause:  capillary-relay check --config relay.yaml --connect',
    `Once it is fixed: ${resume}`,
  );
}

function advisePending(
  record: RecordAnswer,
  destination: DestinationAnswer | undefined,
  commandLine: CommandLine,
): string {
  const { dueAt, isReplay, customerId } = record;
  if (destination !== undefined && destination.state !== 'flowing')
    return adviseNotFlowing(destination, commandLine);
  const due = dueAt === undefined ? '' : ` Due at ${formatTime(dueAt)}.`;
  const queue = isReplay === true ? 'queued with the replays, which run at a lower rate' : 'queued';
  return joinLines(
    `Nothing: it is ${queue}, perhaps behind an earlier event of the same customer.${due}`,
    customerId === undefined
      ? undefined
      : `Pending for this customer: ${commandLine(`events --customer-id ${shellWord(customerId)} --state pending`)}`,
  );
}

/** Quotes a word for a POSIX shell: a customer id or a reason may contain anything. */
function shellWord(text: string): string {
  return /^[\w.@:+-]+$/.test(text) ? text : `'${toPrintable(text).replaceAll("'", String.raw`'\''`)}'`;
}

function adviseReplay({ hasBody, state, receipt }: RecordAnswer, commandLine: CommandLine): string {
  if (!hasBody) return 'Its payload was removed by retention or erasure, so it cannot be replayed.';
  const group = state === 'dead' || state === 'malformed' ? 'dead-letters' : 'events';
  return `Replay: ${commandLine(`${group} replay ${receipt}`)}`;
}

/** Commands to inspect a dead letter: what was sent, the current mapping, similar dead letters. */
function adviseInspection(record: RecordAnswer, commandLine: CommandLine): string {
  const { hasBody, receipt, reason = '', source } = record;
  return joinLines(
    hasBody ? `Payload and sent messages: ${commandLine(`explain ${receipt} --body`)}` : undefined,
    hasBody
      ? `Map it again: ${commandLine(`explain ${receipt} --body --json`)} | jq .body | capillary-relay map - --source ${source} --config relay.yaml`
      : undefined,
    `Similar dead letters: ${commandLine(`dead-letters list --source ${source} --reason ${shellWord(reason)}`)}`,
  );
}

/**
 * What the operator should do next about an event.
 * @param options options with which the suggested commands reach the same relay, such as ` --url
 *   http://…`; empty for the default
 */
export function adviceFor(
  record: RecordAnswer,
  destination: DestinationAnswer | undefined,
  options: string,
): string {
  const advice = adviceForState(record, destination, options);
  return record.differingCopies === undefined ? advice : `${advice}\n${DIFFERING_ADVICE}`;
}

function adviseUnconfigured(source: string): string {
  return `It waits because its source ${source} is not configured: add the source to the configuration again, then run capillary-relay reload.`;
}

function adviceForState(
  record: RecordAnswer,
  destination: DestinationAnswer | undefined,
  options: string,
): string {
  const { state, reason = '' } = record;
  const commandLine: CommandLine = (args) => `capillary-relay ${args}${options}`;
  switch (state) {
    case 'pending':
      if (record.sourceConfigured === false) return adviseUnconfigured(record.source);
      return advisePending(record, destination, commandLine);
    case 'delivered':
      return 'Nothing: Adobe accepted it. Adobe decides later whether it is stored: look for its _id, or for the xaction id of the attempt, in Monitoring.';
    case 'ignored':
      return joinLines(
        IGNORED_ADVICE[reason] ?? 'It is not meant for delivery.',
        adviseReplay(record, commandLine),
      );
    case 'malformed':
      if (isTruncated(record.detail)) return TRUNCATED_ADVICE;
      return joinLines(MALFORMED_ADVICE, adviseReplay(record, commandLine));
    default:
      return joinLines(
        DEAD_ADVICE[reason] ?? 'Fix the cause shown by the attempts above, then replay the event.',
        adviseInspection(record, commandLine),
        adviseReplay(record, commandLine),
      );
  }
}
