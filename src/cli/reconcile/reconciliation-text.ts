import { styleText } from 'node:util';
import { type GivenOptions, relayOptions } from '../explain/relay-options.ts';
import { formatTable, toPrintable } from '../table.ts';
import { formatTime } from '../time-format.ts';
import {
  type DestinationReconciliationAnswer,
  type DifferenceAnswer,
  openCount,
  type SourceReconciliationAnswer,
} from './reconciliation-answer.ts';

type AnyAnswer = SourceReconciliationAnswer | DestinationReconciliationAnswer;

/** A fix can be a command, or a sentence that ends with one. */
const ENDS_WITH_COMMAND = /capillary-relay [^,;()]*$/;

/** `given-up 3, beyond-log 12`. */
export function formatOpen({ open }: Pick<AnyAnswer, 'open'>): string {
  return Object.entries(open)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${toPrintable(kind)} ${count}`)
    .join(', ');
}

/** `sent 12 = accepted 10 + recovered 2 + unrecoverable 0 + missing 0`. */
export function formatSent({ sums }: SourceReconciliationAnswer): string {
  const { sent, accepted, recovered, unrecoverable, missing } = sums;
  return `sent ${sent} = accepted ${accepted} + recovered ${recovered} + unrecoverable ${unrecoverable} + missing ${missing}`;
}

/**
 * `acknowledged 12 = landed 10 + refused later 1 + unconfirmed 1`: dead ones were acknowledged too.
 */
export function formatLanded({ sums }: DestinationReconciliationAnswer): string {
  const { delivered, landed, refusedLater, unconfirmed } = sums;
  return `acknowledged ${delivered} = landed ${landed} + refused later ${refusedLater} + unconfirmed ${unconfirmed}`;
}

/** One row for all closed differences of a kind and cause. */
function summaryOf(group: readonly DifferenceAnswer[]): readonly DifferenceAnswer[] {
  const [first] = group;
  if (first === undefined || group.length === 1) return group;
  const { eventName: _, window: __, ...rest } = first;
  const count = group.reduce((sum, one) => sum + one.count, 0);
  return [{ ...rest, count, detail: `such as this one (--json has each): ${first.detail}` }];
}

function rowsOf(differences: readonly DifferenceAnswer[]): readonly DifferenceAnswer[] {
  const [open, closed] = [true, false].map((isOpen) => differences.filter((one) => one.open === isOpen));
  const groups = Map.groupBy(closed ?? [], ({ kind, cause }) => `${kind} ${cause}`);
  return [...(open ?? []), ...[...groups.values()].flatMap(summaryOf)];
}

/** The answer has the newest differences only, its counts all of them. */
function formatMore(answer: AnyAnswer): readonly string[] {
  const listed = answer.differences.reduce((sum, { open, count }) => sum + (open ? count : 0), 0);
  const more = openCount(answer) - listed;
  return listed > 0 && more > 0 ? [`and ${more} more that are open`] : [];
}

function formatWindow({ window }: DifferenceAnswer): string {
  return window === undefined ? '' : `${formatTime(window.from)} to ${formatTime(window.until)}`;
}

function formatDifferences(differences: readonly DifferenceAnswer[]): string {
  return formatTable(rowsOf(differences), [
    { heading: 'STATE', cell: ({ open }) => (open ? 'open' : 'done') },
    { heading: 'DIFFERENCE', cell: ({ kind }) => kind },
    { heading: 'CAUSE', cell: ({ cause }) => cause },
    { heading: 'COUNT', cell: ({ count }) => count },
    { heading: 'EVENT', cell: ({ receipt, eventId }) => receipt ?? eventId },
    { heading: 'NAME', cell: ({ eventName }) => eventName },
    { heading: 'PERIOD', cell: formatWindow },
    { heading: 'DETAIL', cell: ({ detail }) => detail },
  ]);
}

/** A replay of one receipt; the same command takes several. */
const REPLAY = /^(?<before>.*capillary-relay events replay )(?<receipt>[\da-f-]{36})(?<after> .*)$/;

/** The replays that differ in the receipt only are one command. */
function withoutRepeats(fixes: readonly string[]): readonly string[] {
  const receipts = new Map<string, Set<string>>();
  for (const fix of fixes) {
    const { before, receipt, after } = REPLAY.exec(fix)?.groups ?? {};
    const key = receipt === undefined ? fix : `${before}\n${after}`;
    const known = receipts.get(key) ?? new Set();
    receipts.set(key, receipt === undefined ? known : known.add(receipt));
  }
  return [...receipts].map(([key, ids]) => key.replace('\n', [...ids].join(' ')));
}

/** Commands reach the relay that was asked. */
function formatFixes(answer: AnyAnswer, given: GivenOptions): readonly string[] {
  const fixes = answer.differences.flatMap(({ open, fix }) => (open && fix !== undefined ? [fix] : []));
  const all = withoutRepeats([...(answer.problem?.fix === undefined ? [] : [answer.problem.fix]), ...fixes]);
  if (all.length === 0) return [];
  const complete = (fix: string): string =>
    ENDS_WITH_COMMAND.test(fix) ? `${toPrintable(fix)}${relayOptions(given)}` : toPrintable(fix);
  return ['What to do:', ...all.map((fix) => `  ${complete(fix)}`)];
}

function formatState(answer: AnyAnswer): string {
  const { state, problem } = answer;
  if (problem !== undefined) return `NOT COMPARED COMPLETELY (${toPrintable(problem.code)})`;
  if (state === 'never') return 'not compared yet';
  const count = openCount(answer);
  return count === 0 ? 'nothing is left to do' : `LEFT TO DO: ${formatOpen(answer)}`;
}

function linesOf(title: string, facts: readonly string[], answer: AnyAnswer, given: GivenOptions): string {
  const { problem, differences } = answer;
  return [
    styleText('bold', `${toPrintable(title)}: ${formatState(answer)}`),
    ...(problem === undefined ? [] : [toPrintable(problem.detail)]),
    ...facts,
    ...(differences.length === 0 ? [] : [formatDifferences(differences), ...formatMore(answer)]),
    ...formatFixes(answer, given),
  ].join('\n');
}

/** What Capillary sent, and what became of it. */
export function formatSource(answer: SourceReconciliationAnswer, given: GivenOptions): string {
  const { source, coveredFrom, seesUntil } = answer;
  const period =
    seesUntil === undefined
      ? []
      : [`events from ${formatTime(coveredFrom)} to ${formatTime(seesUntil)}`, formatSent(answer)];
  return linesOf(`${source}, sent by Capillary`, period, answer, given);
}

/** What was delivered, and whether it landed. */
export function formatDestination(answer: DestinationReconciliationAnswer, given: GivenOptions): string {
  const { destination, seesLakeUntil, seesProfileUntil, readBack } = answer;
  const sees = [
    ...(seesLakeUntil === undefined ? [] : [`data lake until ${formatTime(seesLakeUntil)}`]),
    ...(seesProfileUntil === undefined ? [] : [`Profile until ${formatTime(seesProfileUntil)}`]),
  ];
  const read =
    readBack.events + readBack.profiles === 0
      ? []
      : [`look-ups in Profile so far: events ${readBack.events}, profiles ${readBack.profiles}`];
  const facts = [...(sees.length === 0 ? [] : [sees.join(', ')]), formatLanded(answer), ...read];
  return linesOf(`${destination}, landed in AEP`, facts, answer, given);
}
