import { type Command, InvalidArgumentError, Option } from 'commander';
import { shortId } from '../capillary/event-id.ts';
import { CONFIGURED } from './completion/configured-names.ts';
import { type SuggestedValues, suggestValues } from './completion/suggested-values.ts';

function isNumeral(text: string): boolean {
  return /^\d+(\.\d+)?$/.test(text);
}

/** Parses a number from `min` to `max`; commander reports the error as wrong usage. */
export function numberBetween(min: number, max: number) {
  return (text: string): number => {
    const number = Number(text);
    if (isNumeral(text) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
  };
}

/** Parses an integer from `min` to `max`. */
export function integerBetween(min: number, max: number) {
  return (text: string): number => {
    const number = Number(text);
    if (isNumeral(text) && Number.isInteger(number) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It must be an integer from ${min} to ${max}.`);
  };
}

/** Options of a command that lists entries. */
export interface PageOptions {
  readonly limit: number;
  readonly cursor?: string;
}

/** Largest page of the admin API. */
const MAX_PAGE_SIZE = 500;
const DEFAULT_PAGE_SIZE = 50;

/** Adds the options that select one page of a list, newest first. */
export function withPageOptions(command: Command): Command {
  return command
    .option(
      '--limit <count>',
      `maximum number of entries, newest first; at most ${MAX_PAGE_SIZE}`,
      integerBetween(1, MAX_PAGE_SIZE),
      DEFAULT_PAGE_SIZE,
    )
    .option('--cursor <cursor>', 'continue after the previous page');
}

/** Hint below a list that has another page. */
export function formatNextPage(next: string | null | undefined): string {
  return next === null || next === undefined ? '' : `\nThere are more: add --cursor ${next}`;
}

/** Filter options, named as in the admin API. Times are epoch ms or any form that the API reads. */
export interface EventFilterOptions {
  readonly source?: string;
  readonly destination?: string;
  readonly eventName?: string;
  readonly eventId?: string;
  readonly reason?: string;
  readonly customerId?: string;
  readonly state?: string;
  readonly since?: string;
  readonly until?: string;
  readonly settledSince?: string;
  readonly settledUntil?: string;
}

export type FilterKey = keyof EventFilterOptions;

/** Those of events in any state, but for the state itself. */
export const EVENT_KEYS: readonly FilterKey[] = [
  'source',
  'destination',
  'eventName',
  'eventId',
  'reason',
  'customerId',
  'since',
  'until',
  'settledSince',
  'settledUntil',
];

const FILTER_FLAGS: Readonly<Record<FilterKey, readonly [flags: string, description: string]>> = {
  source: ['--source <name>', 'filter by source'],
  destination: ['--destination <name>', 'filter by destination'],
  eventName: ['--event-name <name>', 'filter by event name, such as transactionAdded'],
  eventId: ['--event-id <id>', "filter by Capillary's event id"],
  reason: ['--reason <code>', 'filter by reason code, such as rejected'],
  customerId: ['--customer-id <id>', "filter by Capillary's customerId"],
  state: ['--state <states>', 'comma-separated states: pending, delivered, ignored, dead, malformed'],
  since: [
    '--since <time>',
    'received at or after this time: 2h, 3d, or a time such as 2026-01-31 or 2026-01-31T08:00:00Z',
  ],
  until: ['--until <time>', 'received before this time'],
  settledSince: [
    '--settled-since <time>',
    'settled (delivered, ignored or dead) at or after this time, in the forms of --since',
  ],
  settledUntil: ['--settled-until <time>', 'settled before this time'],
};

/** Values for the completion of the shell. */
const FILTER_VALUES: Readonly<Partial<Record<FilterKey, SuggestedValues>>> = {
  source: CONFIGURED.sources,
  destination: CONFIGURED.destinations,
  eventName: { load: async () => [...(await import('../capillary/catalogue.ts')).CATALOGUE.keys()] },
  state: {
    load: async () => Object.keys((await import('../journal/event-reasons.ts')).REASONS),
    isList: true,
  },
  reason: {
    load: async () => [
      ...new Set(Object.values((await import('../journal/event-reasons.ts')).REASONS).flat()),
    ],
  },
};

const DEAD_LETTER_REASONS: SuggestedValues = {
  load: async () => {
    const { REASONS } = await import('../journal/event-reasons.ts');
    return [...REASONS.dead, ...REASONS.malformed];
  },
};

/** A command without states is about dead letters, which the other reasons cannot match. */
function suggestedFor(key: FilterKey, keys: readonly FilterKey[]): SuggestedValues | undefined {
  return key === 'reason' && !keys.includes('state') ? DEAD_LETTER_REASONS : FILTER_VALUES[key];
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `2h` → epoch ms of two hours before `now`. Any other text is passed to the API unchanged. */
export function readTime(text: string, now: number): string {
  const [, number, unit = ''] = /^(\d+)\s*([smhd])$/.exec(text) ?? [];
  return number === undefined ? text : String(now - Number(number) * (UNIT_MS[unit] ?? 0));
}

const TIME_KEYS: ReadonlySet<FilterKey> = new Set(['since', 'until', 'settledSince', 'settledUntil']);

/** The value of a filter, as the API expects it. */
export function filterValue(key: FilterKey, text: string): string {
  if (TIME_KEYS.has(key)) return readTime(text, Date.now());
  return key === 'eventId' ? shortId(text) : text;
}

/** Adds the filter options of these keys. */
export function withFilterOptions(command: Command, keys: readonly FilterKey[]): Command {
  for (const key of keys) {
    const [flags, description] = FILTER_FLAGS[key];
    const option = new Option(flags, description);
    const values = suggestedFor(key, keys);
    if (values !== undefined) suggestValues(option, values);
    command.addOption(option.argParser((text) => filterValue(key, text)));
  }
  return command;
}

/** The filter among the options of a command. */
export function filterOf(
  options: EventFilterOptions,
  keys: readonly FilterKey[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = options[key];
      return value === undefined ? [] : [[key, value]];
    }),
  );
}
