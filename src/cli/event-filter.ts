import type { Command } from 'commander';

/** What events can be chosen by, as the admin API names it. Times are epoch ms or as the API reads them. */
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
}

export type FilterKey = keyof EventFilterOptions;

const FLAGS: Readonly<Record<FilterKey, readonly [flags: string, description: string]>> = {
  source: ['--source <name>', 'of this source'],
  destination: ['--destination <name>', 'for this destination'],
  eventName: ['--event-name <name>', 'of this name, such as transactionAdded'],
  eventId: ['--event-id <id>', "with this id of Capillary's"],
  reason: ['--reason <code>', 'that are what they are for this reason, such as rejected'],
  customerId: ['--customer-id <id>', "of this customer (Capillary's customerId)"],
  state: ['--state <states>', 'pending, delivered, ignored, dead, malformed; several with commas between'],
  since: ['--since <time>', 'received since: 2h, 3d, or a time such as 2026-01-31 or 2026-01-31T08:00:00Z'],
  until: ['--until <time>', 'received before'],
};

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `2h` → epoch ms of two hours before `now`; anything else stays as it is, for the API to read. */
export function readTime(text: string, now: number): string {
  const [, number, unit = ''] = /^(\d+)\s*([smhd])$/.exec(text) ?? [];
  return number === undefined ? text : String(now - Number(number) * (UNITS[unit] ?? 0));
}

/** Adds the options for these keys. */
export function withFilter(command: Command, keys: readonly FilterKey[]): Command {
  for (const key of keys) {
    const [flags, description] = FLAGS[key];
    if (key === 'since' || key === 'until')
      command.option(flags, description, (text) => readTime(text, Date.now()));
    else command.option(flags, description);
  }
  return command;
}

/** The filter that was given, nothing else of the options. */
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
