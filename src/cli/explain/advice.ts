import type { DestinationAnswer, RecordAnswer } from '../admin-answers.ts';
import { formatTime } from '../time-format.ts';
import { adviseMalformed } from './malformed-advice.ts';
import { configOptions, type GivenOptions, relayCommand, shellWord } from './relay-options.ts';
import { adviseNotFlowing } from './stop-advice.ts';

/** Advice for a dead letter, by its reason. */
const DEAD_ADVICE: Readonly<Record<string, string>> = {
  rejected:
    "Adobe's answer above says what it rejected. Fix the schema in AEP, or the configuration (test it with the command below) and reload it, then replay the event.",
  poison:
    'It failed repeatedly while other events passed. Check the attempts above and the payload, fix the cause, then replay the event.',
  expired:
    'It kept failing until it was older than retry.maxAge. Fix the cause shown by the attempts above, then replay the event.',
  'too-large':
    'It is larger than Adobe accepts. Leave out fields with a mapping override, reload the configuration, then replay the event.',
  'refused-later':
    'AEP acknowledged it and refused it when it read the batch, as described above. Fix the schema in AEP, or the configuration (test it with the command below) and reload it, then replay the event.',
  'payload-lost':
    'What the disk holds of it is damaged. Without a payload its id is no longer known to the relay, so ask Capillary to send the event again; with one, replay it. Stop the relay soon and run store verify: other data can be damaged too.',
  mapping:
    'A mapping override of its source failed, as described above. Fix the expression (test it with the command below), reload the configuration, then replay the event.',
  'mapping-failed':
    'The mapping failed because of a defect; the log of the relay has the error. Report it as a bug, and replay the event with a relay in which it is fixed.',
};

/** Advice for an ignored event, by its reason. */
const IGNORED_ADVICE: Readonly<Record<string, string>> = {
  'test-event':
    "It is a sample from Capillary's Test button. To deliver samples, set testEvents: deliver on the source, reload the configuration, then replay the event.",
  'no-identity':
    'It identifies no customer, so Adobe could not assign it to a profile. There is nothing to do.',
  'customer-deleted': 'Its customer was deleted at Capillary. There is nothing to do.',
  unmapped:
    'No mapping exists for its name, and the source ignores unmapped events. Set unmapped: generic or add an override, reload the configuration, then replay the event.',
  discarded: 'An operator discarded it.',
};

/** Reasons whose fix is in the configuration. */
const RELOADED: ReadonlySet<string> = new Set([
  'rejected',
  'refused-later',
  'too-large',
  'mapping',
  'test-event',
  'unmapped',
]);

const DIFFERING_ADVICE =
  'Duplicates of it have other data: its sender gives one eventId to different events, or changes an event and sends it again. Only the first is delivered. Fix the sender, which must give each event an eventId of its own or none.';

function joinLines(...all: readonly (string | undefined)[]): string {
  return all.filter((line) => line !== undefined).join('\n');
}

function advisePending(
  record: RecordAnswer,
  destination: DestinationAnswer | undefined,
  given: GivenOptions,
): string {
  const { dueAt, isReplay, customerId } = record;
  if (destination !== undefined && destination.state !== 'flowing')
    return adviseNotFlowing(destination, given);
  const due = dueAt === undefined ? '' : ` Due at ${formatTime(dueAt)}.`;
  const queue = isReplay === true ? 'queued with the replays, which run at a lower rate' : 'queued';
  return joinLines(
    `Nothing: it is ${queue}, perhaps behind an earlier event of the same customer. With enrich in its source it also waits for Capillary's API, at most enrich.maxDelay.${due}`,
    customerId === undefined
      ? undefined
      : `Pending for this customer: ${relayCommand(given, `events --customer-id ${shellWord(customerId)} --state pending`)}`,
  );
}

function adviseReplay({ hasBody, state, receipt }: RecordAnswer, given: GivenOptions): string {
  if (!hasBody)
    return 'Its payload was removed by retention or erasure, or is lost, so it cannot be replayed.';
  const group = state === 'dead' || state === 'malformed' ? 'dead-letters' : 'events';
  return `Replay: ${relayCommand(given, `${group} replay ${receipt}`)}`;
}

/** Commands to inspect a dead letter: what was sent, the current mapping, similar dead letters. */
function adviseInspection(record: RecordAnswer, given: GivenOptions): string {
  const { hasBody, receipt, reason = '', source } = record;
  return joinLines(
    hasBody ? `Payload and sent messages: ${relayCommand(given, `explain ${receipt} --body`)}` : undefined,
    hasBody
      ? `Map it again: ${relayCommand(given, `explain ${receipt} --body --json`)} | jq .body | capillary-relay map - --source ${shellWord(source)}${configOptions(given)}`
      : undefined,
    `Similar dead letters: ${relayCommand(given, `dead-letters list --source ${source} --reason ${shellWord(reason)}`)}`,
  );
}

/**
 * What the operator should do next about an event.
 * @param given options of the running command, with which the suggested ones reach the same relay
 */
export function adviceFor(
  record: RecordAnswer,
  destination: DestinationAnswer | undefined,
  given: GivenOptions,
): string {
  const advice = adviceForState(record, destination, given);
  return record.differingCopies === undefined ? advice : `${advice}\n${DIFFERING_ADVICE}`;
}

function adviseUnconfigured(source: string, given: GivenOptions): string {
  return `It waits because its source ${source} is not configured: add the source to the configuration again, then reload it: ${relayCommand(given, 'reload')}`;
}

/** A destination delivers events of its own sources only, so its state does not matter. */
function adviseMisplaced({ source, destination }: RecordAnswer, to: string, given: GivenOptions): string {
  return `Nobody delivers it: it is queued for the destination ${destination}, but its source ${source} now sends to ${to}. If the configuration is right, move the pending events of the source: ${relayCommand(given, `destinations reroute --source ${shellWord(source)}`)}`;
}

/** Events that were accepted, but can no longer be read. */
const UNREADABLE: ReadonlySet<string> = new Set(['not-json', 'not-an-event', 'wrong-org']);

/** What reconciliation knows of it is in the last line of the report. */
function adviseDelivered({ landing, destination }: RecordAnswer, given: GivenOptions): string {
  if (landing?.state === 'landed') return 'Nothing: Adobe accepted it, and it has landed.';
  const compare = relayCommand(given, `reconcile --destination ${shellWord(destination)}`);
  if (landing?.code !== undefined)
    return `Adobe accepted it, but it was not found as it was sent. Its cause and what repairs it: ${compare}`;
  if (landing !== undefined)
    return `Nothing: Adobe accepted it. Whether it has landed is compared later; now: ${compare}`;
  return 'Nothing: Adobe accepted it. Adobe decides later whether it is stored: look for its _id, or for the xaction id of the attempt, in Monitoring.';
}

function adviceForState(
  record: RecordAnswer,
  destination: DestinationAnswer | undefined,
  given: GivenOptions,
): string {
  const { state, reason = '', sourceDestination = record.destination } = record;
  switch (state) {
    case 'pending':
      if (record.sourceConfigured === false) return adviseUnconfigured(record.source, given);
      if (sourceDestination !== record.destination) return adviseMisplaced(record, sourceDestination, given);
      return advisePending(record, destination, given);
    case 'delivered':
      return adviseDelivered(record, given);
    case 'ignored':
      return joinLines(
        IGNORED_ADVICE[reason] ?? 'It is not meant for delivery.',
        RELOADED.has(reason) ? `Reload: ${relayCommand(given, 'reload')}` : undefined,
        adviseReplay(record, given),
      );
    case 'malformed':
      return adviseMalformed(record, given);
    default:
      if (UNREADABLE.has(reason)) return adviseMalformed(record, given);
      return joinLines(
        DEAD_ADVICE[reason] ?? 'Fix the cause shown by the attempts above, then replay the event.',
        adviseInspection(record, given),
        RELOADED.has(reason) ? `Reload: ${relayCommand(given, 'reload')}` : undefined,
        adviseReplay(record, given),
      );
  }
}
