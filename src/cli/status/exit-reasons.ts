import { ACCEPTED_OUTCOMES } from '../../admin/accepted-outcomes.ts';
import type { DestinationAnswer, IntakeAnswer, SourceIntakeAnswer } from '../admin-answers.ts';
import { formatAge } from '../time-format.ts';
import { toPrintable } from '../table.ts';
import type { Snapshot } from './snapshot.ts';

/** Requests that name no configured source are counted under this name. */
export const UNKNOWN = 'unknown';
/** Refusals in a row that count as refusing everything. */
const MANY_IN_A_ROW = 10;
const OPERATOR = 'operator';
const MINUTE_MS = 60_000;

/** Whether an operator paused it: nothing is wrong then. */
export function isPausedByOperator({ state, reason }: DestinationAnswer): boolean {
  return state === 'paused' && reason === OPERATOR;
}

/** Why a source counts as refusing every webhook at present. */
function whyRefusing(
  { source, outcomes, refused, refusedInARow, newestQuarantined, ...more }: SourceIntakeAnswer,
  { minutes, since }: IntakeAnswer,
  now: number,
): string | undefined {
  if (source === UNKNOWN) return undefined;
  const isAccepting = [...ACCEPTED_OUTCOMES].some((outcome) => (outcomes[outcome] ?? 0) > 0);
  if (refused > 0 && refusedInARow > 0) {
    const isFull = now - Date.parse(since) >= (minutes - 1) * MINUTE_MS;
    if (!isAccepting)
      return `refused every webhook ${isFull ? `of the last ${minutes} minutes` : 'since the start'}`;
    if (refusedInARow >= MANY_IN_A_ROW) return `refused the last ${refusedInARow} webhooks`;
  }
  // A restart forgets the counts, but not what is in the quarantine.
  if (newestQuarantined === undefined || more.lastAcceptedAt !== undefined) return undefined;
  const age = now - Date.parse(newestQuarantined.receivedAt);
  return age < minutes * MINUTE_MS
    ? `refused a webhook ${formatAge(age)} ago, and none was accepted since`
    : undefined;
}

/** Whether a configured source refuses every webhook at present. */
export function refusesEverything(source: SourceIntakeAnswer, intake: IntakeAnswer, now: number): boolean {
  return whyRefusing(source, intake, now) !== undefined;
}

/**
 * Why `status` exits with 1, for people: what needs somebody now. Nothing that an operator wanted,
 * and nothing that passes by itself.
 */
export function exitReasons(snapshot: Snapshot): string[] {
  const { ledger, health, intake, destinations, unusableSecretFiles, misplaced, takenAt } = snapshot;
  return [
    ...(ledger.balanced ? [] : ['the ledger does not balance']),
    ...health.checks
      .filter(({ ok }) => !ok)
      .map(({ name }) => `the check ${toPrintable(name)} of /readyz fails`),
    ...intake.sources.flatMap((source) => {
      const why = whyRefusing(source, intake, takenAt);
      return why === undefined ? [] : [`source ${toPrintable(source.source)} ${why}`];
    }),
    ...destinations
      .filter((destination) => destination.state === 'paused' && !isPausedByOperator(destination))
      .map(
        ({ name, reason = 'unknown' }) =>
          `destination ${toPrintable(name)} is paused: ${toPrintable(reason)}`,
      ),
    ...destinations.flatMap(({ name, otherReplicas = [] }) =>
      otherReplicas
        .filter(({ state, reason }) => state === 'paused' && reason !== OPERATOR)
        .map(
          ({ replica, reason = 'unknown' }) =>
            `destination ${toPrintable(name)} is paused in ${toPrintable(replica)}: ${toPrintable(reason)}`,
        ),
    ),
    ...(misplaced === 0 ? [] : [`${misplaced} pending events wait where their source no longer sends`]),
    ...(unusableSecretFiles === 0 ? [] : ['a secret file cannot be used']),
  ];
}
