import type { MessageKind } from '../../journal/stored-event.ts';
import type { Journal } from '../../journal/journal.ts';
import type { CheckProblem, DifferenceCause } from '../reconciliation-report.ts';
import type { FlowChange } from './check-state.ts';
import { causeAt, type TargetFacts } from './flow-causes.ts';
import { differingPaths, pathsText } from './profile-comparison.ts';
import type { Looked, ProfileReader } from './profile-reader.ts';
import type { SentRecord } from './sent-records.ts';

/** Records of this size and above may be too large for Profile; bytes of the `xdmEntity`. */
export const NEAR_LIMIT_BYTES: Readonly<Record<MessageKind, number>> = { event: 8_000, profile: 80_000 };

/** What Profile has of what was sent for one event. */
export type EventFinding =
  | { readonly kind: 'found' }
  /** A newer record of the customer is on its way: nothing can be concluded yet. */
  | { readonly kind: 'superseded' }
  /** It is there, but what was sent cannot be made again exactly: its values are not compared. */
  | { readonly kind: 'incomparable' }
  /** Profile does not have it, because it is older than its dataset keeps events there. */
  | { readonly kind: 'expired' }
  | { readonly kind: 'missing'; readonly of: readonly MessageKind[]; readonly cause: DifferenceCause }
  | { readonly kind: 'differs'; readonly cause: DifferenceCause; readonly paths: string };

export interface EventCheckParts {
  readonly destination: string;
  readonly reader: ProfileReader;
  readonly journal: Pick<Journal, 'list'>;
  readonly facts: readonly TargetFacts[];
  readonly changes: readonly FlowChange[];
  /** Epoch ms. */
  readonly now: number;
  /** Epoch ms since when records can be made again as they were sent. */
  readonly exactSince: number;
  /** Deliveries until then have to be in Profile; epoch ms. */
  readonly profileHorizon: number;
}

export type CheckedEvents =
  | { readonly ok: true; readonly findings: ReadonlyMap<string, EventFinding> }
  /** What was found before the failure. */
  | {
      readonly ok: false;
      readonly findings: ReadonlyMap<string, EventFinding>;
      readonly problem: CheckProblem;
    };

function isForProfile(kind: MessageKind, facts: readonly TargetFacts[]): boolean {
  return facts.find((one) => one.kind === kind)?.isForProfile === true;
}

/** A newer delivery has replaced the record, and can still be on its way. */
async function isSuperseded(
  { customerId }: SentRecord,
  { destination, journal, profileHorizon }: EventCheckParts,
): Promise<boolean> {
  if (customerId === undefined) return false;
  const filter = { destination, customerId, settledSince: profileHorizon };
  const newer = await journal.list(filter, { limit: 1 });
  const waiting = await journal.list({ destination, customerId, states: ['pending'] }, { limit: 1 });
  return newer.items.length > 0 || waiting.items.length > 0;
}

function causeOf(sent: SentRecord, kind: MessageKind, parts: EventCheckParts): DifferenceCause {
  const { facts, changes } = parts;
  const cause = causeAt(sent.settledAt, kind, changes, facts);
  const bytes = sent[kind]?.bytes ?? 0;
  return cause === 'unknown' && bytes >= NEAR_LIMIT_BYTES[kind] ? 'near-size-limit' : cause;
}

async function checkProfile(sent: SentRecord, parts: EventCheckParts): Promise<Looked<EventFinding>> {
  const { reader, facts } = parts;
  const entity = sent.profile?.entity;
  if (entity === undefined || !isForProfile('profile', facts)) return { ok: true, value: { kind: 'found' } };
  const read = await reader.profile(sent.identity);
  if (!read.ok) return read;
  const paths = differingPaths(entity, read.value?.entity ?? {});
  if (paths.length === 0) return { ok: true, value: { kind: 'found' } };
  if (await isSuperseded(sent, parts)) return { ok: true, value: { kind: 'superseded' } };
  const own = facts.find((one) => one.kind === 'profile')?.datasetId;
  const sources = read.value?.sources ?? [];
  // Fragments of the dataset of events have no attributes of a profile.
  const events = facts.find((one) => one.kind === 'event')?.datasetId;
  const isOthers = sources.some((dataset) => dataset !== own && dataset !== events);
  const isOwnThere = sources.length === 0 || sources.some((dataset) => dataset === own);
  if (read.value === undefined || !isOwnThere)
    return { ok: true, value: { kind: 'missing', of: ['profile'], cause: causeOf(sent, 'profile', parts) } };
  // Made again with other knowledge, it need not be what was sent.
  if (sent.settledAt < parts.exactSince) return { ok: true, value: { kind: 'incomparable' } };
  const ownCause = causeOf(sent, 'profile', parts);
  const cause = isOthers && ownCause !== 'near-size-limit' ? 'another-writer' : ownCause;
  return { ok: true, value: { kind: 'differs', cause, paths: pathsText(paths) } };
}

/** @param profile what was found of the customer's profile */
function missingEvent(
  sent: SentRecord,
  profile: EventFinding | undefined,
  parts: EventCheckParts,
): EventFinding {
  const { profileExpiryMs } = parts.facts.find(({ kind }) => kind === 'event') ?? {};
  const isExpired = profileExpiryMs !== undefined && (sent.event?.at ?? 0) < parts.now - profileExpiryMs;
  if (isExpired) return profile?.kind === 'missing' ? profile : { kind: 'expired' };
  const of: readonly MessageKind[] = profile?.kind === 'missing' ? ['event', 'profile'] : ['event'];
  return { kind: 'missing', of, cause: causeOf(sent, 'event', parts) };
}

/**
 * Looks up in Profile what was sent for events, those of one customer with one call. The profile is
 * compared once for each customer, with the record that was sent last.
 */
export async function checkEvents(
  all: readonly SentRecord[],
  parts: EventCheckParts,
  signal: AbortSignal,
): Promise<CheckedEvents> {
  const { reader, facts } = parts;
  const findings = new Map<string, EventFinding>();
  const groups = Map.groupBy(all, ({ identity }) => JSON.stringify([identity.namespace, identity.id]));
  for (const group of groups.values()) {
    signal.throwIfAborted();
    const [first] = group;
    if (first === undefined) continue;
    const sought = isForProfile('event', facts)
      ? group.flatMap(({ event }) => (event === undefined ? [] : [event]))
      : [];
    const stored =
      sought.length === 0
        ? ({ ok: true, value: new Set<string>() } as const)
        : await reader.events(first.identity, sought);
    if (!stored.ok) return { ok: false, findings, problem: stored.problem };
    const withProfile = group.find(({ profile }) => profile !== undefined);
    const profile = withProfile === undefined ? undefined : await checkProfile(withProfile, parts);
    if (profile?.ok === false) return { ok: false, findings, problem: profile.problem };
    for (const sent of group) {
      const isMissing = sought.some((one) => one === sent.event) && !stored.value.has(sent.event?.id ?? '');
      const own = sent.profile === undefined ? undefined : profile?.value;
      findings.set(sent.receipt, isMissing ? missingEvent(sent, own, parts) : (own ?? { kind: 'found' }));
    }
  }
  return { ok: true, findings };
}
