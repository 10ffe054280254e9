import {
  balanceAfterMerge,
  DEFAULT_PROGRAM,
  type HistoryEvent,
  PROGRAMS,
  joinTimeOf,
  tierNameOf,
} from './history.ts';

/** Attributes of a customer's profile, by name. */
export interface Attributes {
  readonly [attribute: string]: string | number | boolean | undefined;
}

/** The part of a profile record that these tests compare. */
export interface ProfileContent {
  readonly attributes: Attributes;
  /** The ids that the record can have; it has one of them. */
  readonly ids: readonly string[];
  /** Phones in the identityMap. */
  readonly phones: readonly string[];
}

/** True if a phone that an event of this time stated is still the customer's. */
type HoldsPhone = (phone: string, time: number) => boolean;

function balanceName(program: number): string {
  return program === DEFAULT_PROGRAM ? 'points' : `program ${program}`;
}

/** undefined: the event cleared the attribute. */
function attributesSetBy({ change, at: time }: HistoryEvent, holds: HoldsPhone): Attributes {
  switch (change.kind) {
    case 'named':
      return {
        first: change.names[0]!,
        ...(change.names[1] === undefined ? {} : { last: change.names[1] }),
      };
    case 'points':
      return { [balanceName(change.program)]: change.balance };
    case 'merged':
      return Object.fromEntries(
        PROGRAMS.map((program) => [balanceName(program), balanceAfterMerge(change.victim, program)]),
      );
    case 'tier':
      return { tier: tierNameOf(change.tier) };
    case 'contacted':
      return { phone: change.phone !== '' && holds(change.phone, time) ? change.phone : undefined };
    case 'joined':
    case 'typed':
      return change.type === undefined ? {} : { member: change.type === 'LOYALTY' };
    case 'bought':
    case 'deleted':
    case 'released':
      return {};
  }
}

/** Phones that are gone, with the time of the last event that took them away. */
function gonePhones(events: readonly HistoryEvent[]): ReadonlyMap<string, number> {
  const gone = new Map<string, number>();
  const remove = (one: string, time: number) => gone.set(one, Math.max(time, gone.get(one) ?? time));
  for (const { change, at: time } of events) {
    if (change.kind === 'contacted' && change.previous !== undefined && change.previous !== change.phone)
      remove(change.previous, time);
    if (change.kind !== 'released') continue;
    if (change.phone !== undefined) remove(change.phone, time);
    // A release that names none concerns every phone that the customer ever had.
    else
      for (const { change: of } of events)
        if (of.customer === change.customer && (of.kind === 'contacted' || of.kind === 'released'))
          for (const one of [of.phone, of.kind === 'contacted' ? of.previous : undefined])
            if (one !== undefined && one !== '') remove(one, time);
  }
  return gone;
}

function isAfter(a: HistoryEvent, b: HistoryEvent): boolean {
  return a.at > b.at || (a.at === b.at && a.identity > b.identity);
}

/**
 * The last phone that each customer stated, if it is not gone, and if the customer into whom this
 * one was merged has not lost its own since the merge and since that statement.
 */
function phonesHeld(events: readonly HistoryEvent[], holds: HoldsPhone): readonly string[] {
  const last = new Map<number, HistoryEvent & { readonly phone: string }>();
  const merge = new Map<number, HistoryEvent>();
  for (const event of events) {
    const { change, at: time } = event;
    if (change.kind === 'contacted')
      last.set(change.customer, { ...event, phone: holds(change.phone, time) ? change.phone : '' });
    if (change.kind === 'merged') merge.set(change.victim, event);
  }
  const lossesOf = (victim: number): readonly HistoryEvent[] => {
    const merged = merge.get(victim);
    if (merged === undefined) return [];
    const own = last.get(merged.change.customer);
    const losses = own?.phone === '' ? [own] : [];
    return [...losses, ...lossesOf(merged.change.customer)].filter((loss) => isAfter(loss, merged));
  };
  const held = [...last].filter(
    ([customer, stated]) => stated.phone !== '' && !lossesOf(customer).some((loss) => isAfter(loss, stated)),
  );
  return [...new Set(held.map(([, { phone }]) => phone))].toSorted();
}

/** The earliest registration as a member of one who is a member, or not known to be none. */
function joinDateOf(events: readonly HistoryEvent[]): string | undefined {
  const outside = new Map<number, boolean>();
  for (const { change } of events)
    if ((change.kind === 'joined' || change.kind === 'typed') && change.type !== undefined)
      outside.set(change.customer, change.type === 'NON_LOYALTY');
  const days = events.flatMap(({ change }) =>
    change.kind === 'joined' && change.type !== 'NON_LOYALTY' && outside.get(change.customer) !== true
      ? [change.day]
      : [],
  );
  return days.length === 0 ? undefined : new Date(joinTimeOf(Math.min(...days))).toISOString();
}

/** The expected profiles after the whole history in order, without customers merged into others. */
export function expectedProfiles(
  events: readonly HistoryEvent[],
): ReadonlyMap<number, ProfileContent | undefined> {
  const inOrder = events.toSorted((a, b) => a.at - b.at || (a.identity < b.identity ? -1 : 1));
  const into = new Map<number, number>();
  const deleted = new Map<number, number>();
  for (const { change, at: time } of inOrder) {
    if (change.kind === 'merged') into.set(change.victim, change.customer);
    if (change.kind === 'deleted') deleted.set(change.customer, time);
  }
  const lineOf = (one: number): number[] => {
    const next = into.get(one);
    return next === undefined ? [one] : [one, ...lineOf(next)];
  };
  const isGone = ({ change, at: time }: HistoryEvent): boolean =>
    lineOf(change.customer).some((one) => time <= (deleted.get(one) ?? -1));

  const remaining = inOrder.filter((one) => !isGone(one) && !['deleted', 'bought'].includes(one.change.kind));
  const customers = [1, 2, 3, 4].filter((one) => !into.has(one));
  return new Map(
    customers.map((one) => {
      const own = remaining.filter(({ change }) => change.customer === one);
      const victims = remaining.filter(
        ({ change }) => change.customer !== one && lineOf(change.customer).includes(one),
      );
      const gone = gonePhones([...own, ...victims]);
      const holds: HoldsPhone = (held, time) => time > (gone.get(held) ?? -1);
      // The latest value wins; values of the survivor win over those of its victims.
      const set = [...victims, ...own].map((by) => attributesSetBy(by, holds));
      const attributes = Object.assign({}, ...set) as Attributes;
      const joined = attributes['member'] === false ? undefined : joinDateOf([...own, ...victims]);
      const ids = (own.length > 0 ? own : victims).map(({ change }) => String(change.customer));
      const content = {
        attributes: { ...attributes, joined },
        ids: [...new Set(ids)],
        phones: phonesHeld([...own, ...victims], holds),
      };
      return [one, ids.length === 0 ? undefined : content] as const;
    }),
  );
}

/** The parts of a profile record that `expectedProfiles` has. */
export function contentOf(entity: object): ProfileContent {
  const record = entity as {
    person?: { name?: { firstName?: string; lastName?: string } };
    mobilePhone?: { number?: string };
    loyalty?: { points?: number; tier?: string; joinDate?: string };
    _acme?: { capillary?: { programs?: { id: string; points: number }[]; member?: boolean } };
    identityMap?: { capillaryId?: { id: string }[]; Phone?: { id: string }[] };
  };
  const { person, mobilePhone, loyalty, _acme: tenant, identityMap } = record;
  const attributes = {
    first: person?.name?.firstName,
    last: person?.name?.lastName,
    points: loyalty?.points,
    tier: loyalty?.tier,
    phone: mobilePhone?.number,
    joined: loyalty?.joinDate,
    member: tenant?.capillary?.member,
    ...Object.fromEntries(
      (tenant?.capillary?.programs ?? []).map((one) => [`program ${one.id}`, one.points]),
    ),
  };
  return {
    attributes: Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined)),
    ids: (identityMap?.capillaryId ?? []).map(({ id }) => id),
    phones: (identityMap?.Phone ?? []).map(({ id }) => id).toSorted(),
  };
}
