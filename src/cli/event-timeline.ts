import type { TimelineEntry } from './admin-answers.ts';
import { formatInstant, formatSpan } from './moment.ts';
import { formatTable } from './table.ts';

type Attempt = Extract<TimelineEntry, { what: 'attempt' }>;

/** An entry, and for attempts that came to the same how many more followed it and when the last did. */
interface Told {
  readonly entry: TimelineEntry;
  readonly more: number;
  readonly last: string;
}

const MESSAGES: Readonly<Record<string, string>> = { event: 'ExperienceEvent', profile: 'profile record' };

/** What proved the sender, by the type of the verifier, which may stand before a colon: `header:x-relay-key`. */
const PROOFS: Readonly<Record<string, string>> = {
  header: 'the secret header that it came with',
  bearer: 'its bearer token',
  basic: 'its user and password',
  hmac: 'a signature over its body',
  neo: 'the signature of a Neo dataflow',
  'standard-webhooks': 'a signature over id, time and body',
  none: 'nothing: the source takes whatever comes',
};

/** A kind of message as a person calls it. */
export function messageName(kind: string): string {
  return MESSAGES[kind] ?? kind;
}

/** Those that say something, with commas. */
export function joined(...parts: readonly (string | number | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join(', ');
}

/** `dead (rejected)`. */
export function stateOf({ state, reason }: { readonly state: string; readonly reason?: string }): string {
  return reason === undefined || reason === state ? state : `${state} (${reason})`;
}

function attempt(entry: Attempt): string {
  const { kind, outcome, status, detail, xactionId, durationMs, batchSize } = entry;
  const facts = joined(
    status === undefined ? 'no answer' : `Adobe answered ${status}`,
    xactionId === undefined ? undefined : `xaction ${xactionId}`,
    `${durationMs} ms`,
    batchSize > 1 ? `batch of ${batchSize}` : undefined,
  );
  return `${messageName(kind)} ${outcome}: ${facts}${detail === undefined ? '' : `: ${detail}`}`;
}

function verified(by: string): string {
  const [name = ''] = by.split(':');
  return joined(`by ${by}`, PROOFS[name]);
}

function tell(entry: TimelineEntry): string {
  switch (entry.what) {
    case 'received':
      return `from ${entry.source}, ${entry.bytes} bytes`;
    case 'verified':
      return verified(entry.by);
    case 'attempt':
      return attempt(entry);
    case 'action':
      return `${entry.action} by ${entry.by}`;
    case 'settled':
      return `${stateOf(entry)}${entry.detail === undefined ? '' : `: ${entry.detail}`}`;
  }
}

function cameToTheSame(a: TimelineEntry, b: TimelineEntry): boolean {
  return (
    a.what === 'attempt' &&
    b.what === 'attempt' &&
    a.kind === b.kind &&
    a.outcome === b.outcome &&
    a.status === b.status &&
    a.detail === b.detail
  );
}

/** Puts attempts that came to the same, one after the other, under the first of them. */
function folded(entries: readonly TimelineEntry[]): Told[] {
  const told: Told[] = [];
  for (const entry of entries) {
    const before = told.at(-1);
    if (before !== undefined && cameToTheSame(before.entry, entry))
      told.splice(-1, 1, { ...before, more: before.more + 1, last: entry.at });
    else told.push({ entry, more: 0, last: entry.at });
  }
  return told;
}

/** What happened to an event, a line each: when, how long after it came, and what. */
export function formatTimeline(entries: readonly TimelineEntry[]): string {
  const start = Date.parse(entries[0]?.at ?? '');
  const after = (at: string): string => `+${formatSpan(Date.parse(at) - start)}`;
  return formatTable(folded(entries), [
    { heading: 'WHEN', cell: ({ entry: { at } }) => formatInstant(at) },
    { heading: 'AFTER', cell: ({ entry: { at } }) => after(at) },
    { heading: 'WHAT', cell: ({ entry: { what } }) => what },
    {
      heading: 'DETAIL',
      cell: ({ entry, more, last }) =>
        more === 0 ? tell(entry) : `${tell(entry)} (and ${more} more like it, the last ${after(last)})`,
    },
  ]);
}
