import { suggest } from '../config/nearest.ts';
import { ProblemError } from '../http/problems.ts';
import { REASONS } from '../journal/event-reasons.ts';
import type { EventFilter, EventState, Journal } from '../journal/journal.ts';
import type { SourceTable } from '../sources/source-table.ts';
import type { DestinationDirectory } from './admin-parts.ts';

interface FilterParts {
  readonly journal: Pick<Journal, 'ledger' | 'backlog' | 'list'>;
  readonly sources: Pick<SourceTable, 'names'>;
  readonly destinations: Pick<DestinationDirectory, 'list'>;
}

type CheckedFilter = Pick<
  EventFilter,
  'source' | 'destination' | 'reason' | 'eventName' | 'eventId' | 'customerId'
>;

const ALL_STATES = Object.keys(REASONS) as EventState[];

/** `prefix`: path of the filter in the request, such as `filter.`. */
function refuse(prefix: string, field: string, problem: string): never {
  throw new ProblemError('bad-request', `${prefix}${field}: ${problem}`);
}

function unknown(value: string, known: readonly string[], what: string): string {
  return `${what}; ${suggest(value, known, `known: ${known.join(', ')}`)}`;
}

/**
 * Refuses a source that is not configured and has never sent anything.
 * @throws ProblemError `bad-request` with the nearest known name
 */
export async function checkSource(
  { journal, sources }: Pick<FilterParts, 'sources'> & { readonly journal: Pick<Journal, 'ledger'> },
  source: string | undefined,
  prefix = '',
): Promise<void> {
  if (source === undefined || sources.names().includes(source)) return;
  const known = [...new Set([...sources.names(), ...Object.keys(await journal.ledger())])];
  if (!known.includes(source)) refuse(prefix, 'source', unknown(source, known, 'no source has this name'));
}

async function checkDestination(
  { journal, destinations }: FilterParts,
  destination: string | undefined,
  prefix: string,
): Promise<void> {
  if (destination === undefined) return;
  const configured = (await destinations.list()).map(({ name }) => name);
  const former = (await journal.backlog()).map(({ destination: name }) => name);
  const known = [...new Set([...configured, ...former])];
  if (!known.includes(destination) && !(await isStored(journal, { destination })))
    refuse(prefix, 'destination', unknown(destination, known, 'no destination has this name'));
}

async function isStored({ list }: Pick<Journal, 'list'>, filter: EventFilter): Promise<boolean> {
  return (await list(filter, { limit: 1 })).items.length > 0;
}

function statesWith(reason: string): EventState[] {
  return ALL_STATES.filter((state) => REASONS[state].includes(reason));
}

async function checkReason(
  { journal }: FilterParts,
  reason: string | undefined,
  states: readonly EventState[],
  prefix: string,
): Promise<void> {
  if (reason === undefined) return;
  const known = states.flatMap((state) => REASONS[state]);
  if (known.includes(reason)) return;
  if (known.length === 0) refuse(prefix, 'reason', `events that are ${states.join(' or ')} have no reason`);
  const others = statesWith(reason);
  if (others.length > 0)
    refuse(
      prefix,
      'reason',
      `is a reason of ${others.join(' and ')} events, which are not listed here: they are ${states.join(' or ')}`,
    );
  // An earlier version may have recorded it.
  if (!(await isStored(journal, { states, reason })))
    refuse(prefix, 'reason', unknown(reason, known, 'is not known'));
}

const EVENT_FIELDS = ['eventName', 'eventId', 'customerId'] as const;

/** A malformed body is not an event, so it has none of these fields. */
function checkEventFields(filter: CheckedFilter, states: readonly EventState[], prefix: string): void {
  const onlyMalformed = states.every((state) => state === 'malformed') || filter.reason === 'malformed';
  const field = EVENT_FIELDS.find((key) => filter[key] !== undefined);
  if (onlyMalformed && field !== undefined)
    refuse(prefix, field, 'a malformed body has none, so nothing can match; leave it out');
}

/**
 * Refuses a filter that nothing can match: the answer would look as if there were no such events.
 * What has stored events can match, even if it is no longer configured.
 * @param states the states that the listing or the action covers; absent: all
 * @param prefix path of the filter in the request, such as `filter.`
 * @throws ProblemError `bad-request` with the field and the nearest known value
 */
export async function checkFilter(
  parts: FilterParts,
  filter: CheckedFilter,
  states: readonly EventState[] = ALL_STATES,
  prefix = '',
): Promise<void> {
  await checkSource(parts, filter.source, prefix);
  await checkDestination(parts, filter.destination, prefix);
  checkEventFields(filter, states, prefix);
  await checkReason(parts, filter.reason, states, prefix);
}
