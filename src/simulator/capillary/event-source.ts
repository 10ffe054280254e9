import type { JsonObject } from '../../capillary/json.ts';
import { type Random, randomUuid, shuffled } from '../random.ts';
import { TRANSACTION_TEMPLATES } from './bill-events.ts';
import { CORRECTION_TEMPLATES, FOLLOW_UP_TEMPLATES } from './correction-events.ts';
import { CUSTOMER_TEMPLATES } from './customer-events.ts';
import {
  type EventContent,
  type EventContext,
  type EventTemplate,
  forAnyCustomer,
} from './event-template.ts';
import {
  CONTENT_VARIANTS,
  type ContentVariant,
  ENVELOPE_VARIANTS,
  type EnvelopeVariant,
  type FlatEvent,
  genericContent,
} from './event-variants.ts';
import { POINTS_TEMPLATES } from './expiry-events.ts';
import { TIER_TEMPLATES } from './tier-events.ts';
import { forgetSpentLots } from './world/points-account.ts';
import type { Population } from './world/population.ts';
import type { World } from './world/world.ts';
import type { WorldCustomer } from './world/world-customer.ts';

/** An event in the form in which Capillary posts it. */
export interface GeneratedEvent {
  readonly name: string;
  /** `plain`, or how the event is unusual. */
  readonly variant: string;
  readonly body: string;
  /** Absent if the body has none. */
  readonly eventId?: string;
  /** The person that the event is about; absent for a group's points. */
  readonly customerId?: string;
}

export interface EventSourceOptions {
  readonly world: World;
  readonly population: Population;
  readonly random: Random;
  /** In equal shares; by default those with a template, and others in unusual events. */
  readonly names?: readonly string[] | undefined;
  /** Share of events with an unusual form or content. */
  readonly awkward: number;
  /**
   * Whether the events are as they come from Capillary: what a change causes has its own events,
   * and only what happens to customers is unusual. Else each event is for itself.
   */
  readonly isLive: boolean;
}

const DOCUMENTED_TEMPLATES = {
  ...CUSTOMER_TEMPLATES,
  ...TRANSACTION_TEMPLATES,
  ...POINTS_TEMPLATES,
  ...TIER_TEMPLATES,
};

/** The 14 names of Adobe's Capillary source (docs/platforms/capillary.md#catalogue). */
export const DOCUMENTED_NAMES: readonly string[] = Object.keys(DOCUMENTED_TEMPLATES);

/** Names of events that only follow another one. */
export const FOLLOW_UP_NAMES: readonly string[] = Object.keys(FOLLOW_UP_TEMPLATES);

const TEMPLATES: ReadonlyMap<string, EventTemplate> = new Map(Object.entries(DOCUMENTED_TEMPLATES));
const LIVE_TEMPLATES: ReadonlyMap<string, EventTemplate> = new Map(
  Object.entries({ ...DOCUMENTED_TEMPLATES, ...CORRECTION_TEMPLATES }),
);
const CAUSED_TEMPLATES: ReadonlyMap<string, EventTemplate> = new Map(
  Object.entries({ ...DOCUMENTED_TEMPLATES, ...FOLLOW_UP_TEMPLATES }),
);

/** Share of points events about the second program, for its members. */
const CLUB_SHARE = 0.3;

/** Returns a function that returns each value once, in random order, before it repeats one. */
function createShuffle<T>(values: readonly T[], random: Random): () => T | undefined {
  let left: T[] = [];
  return () => {
    if (left.length === 0) left = shuffled(random, values);
    return left.pop();
  };
}

type Variant =
  | { readonly kind: 'envelope'; readonly form: EnvelopeVariant }
  | { readonly kind: 'content'; readonly form: ContentVariant };

/** The variants for the given names; all variants if there are no names. */
function variantsFor({ names, isLive }: EventSourceOptions): Variant[] {
  const envelopes = isLive ? [] : ENVELOPE_VARIANTS;
  return [
    ...envelopes.map((form): Variant => ({ kind: 'envelope', form })),
    ...CONTENT_VARIANTS.filter(({ isChange }) => isChange || !isLive)
      .map((form) => ({
        ...form,
        names: form.names.filter((name) => names?.includes(name) ?? true),
      }))
      .filter((form) => form.names.length > 0)
      .map((form): Variant => ({ kind: 'content', form })),
  ];
}

/** The variant of a name that has no plain event: a merge. */
function onlyVariantOf(name: string): Variant | undefined {
  const form = CONTENT_VARIANTS.find(
    ({ isChange, names }) => isChange && names.length === 1 && names[0] === name,
  );
  return form && !LIVE_TEMPLATES.has(name) ? { kind: 'content', form } : undefined;
}

/** What happens by itself: not the events that others cause. */
function ownNames({ names, isLive }: EventSourceOptions): readonly string[] {
  if (!isLive) return names ?? DOCUMENTED_NAMES;
  const all = names ?? [...LIVE_TEMPLATES.keys()];
  const own = all.filter((name) => name !== 'pointsIssued' && FOLLOW_UP_TEMPLATES[name] === undefined);
  if (all.includes('pointsIssued') && !all.includes('transactionAdded')) return [...own, 'pointsIssued'];
  return own;
}

function templateOf(name: string, variant: Variant | undefined, options: EventSourceOptions): EventTemplate {
  const found = (options.isLive ? LIVE_TEMPLATES : TEMPLATES).get(name);
  const template = found ?? forAnyCustomer((context) => genericContent(context, name));
  const form = variant?.kind === 'content' ? variant.form : undefined;
  if (form === undefined) return template;
  return {
    fits: form.fits ?? template.fits,
    make: (context) => form.make(context, name, options.population),
  };
}

function flatEvent(name: string, content: EventContent, context: EventContext): FlatEvent {
  const { orgId } = context.world;
  return {
    eventName: name,
    eventId: randomUuid(context.random),
    orgId,
    refId: `${orgId}_${content.ref}`,
    apiRequestId: randomUuid(context.random).replaceAll('-', ''),
    createdAt: context.at,
    data: content.data,
    loyaltyEventId: content.loyaltyEventId,
    eventSearchKey: 'data.customerIdentifiers.customerId',
    ...(content.eventLogId === undefined ? {} : { eventLogId: content.eventLogId }),
  };
}

function withChanges(event: FlatEvent, changes: ContentVariant['envelope'] = {}): FlatEvent {
  return Object.fromEntries(
    Object.entries({ ...event, ...changes }).filter(([, value]) => value !== undefined),
  ) as FlatEvent;
}

const PERSON_KEYS = ['customerIdentifiers', 'survivorCustomerIdentifiers', 'triggeringActivity'];

function customerIdOf(data: JsonObject): string | undefined {
  const text = JSON.stringify(PERSON_KEYS.map((key) => data[key] ?? null));
  return /"(?:customerId|entityId)":(\d+)/.exec(text)?.[1];
}

function serialize(event: FlatEvent, variant: Variant | undefined): GeneratedEvent {
  const form: EnvelopeVariant = variant?.kind === 'envelope' ? variant.form : { variant: 'plain' };
  const text = JSON.stringify(form.wrap?.(event) ?? event);
  const { eventName: name, eventId, data } = event;
  const customerId = customerIdOf(data);
  return {
    name,
    variant: variant?.form.variant ?? 'plain',
    body: form.rewrite?.(text) ?? text,
    ...(typeof eventId === 'string' && form.variant !== 'no-event-id' ? { eventId } : {}),
    ...(customerId === undefined ? {} : { customerId }),
  };
}

/** Whether the event at `index` belongs to an evenly spread share. */
function isInShare(index: number, share: number): boolean {
  return Math.floor((index + 1) * share + 1e-9) > Math.floor(index * share + 1e-9);
}

function keepRecords(name: string, content: EventContent, context: EventContext): void {
  const { customer, world, at, serial } = context;
  if (!world.keepsHistory) for (const account of customer.accounts) forgetSpentLots(account);
  else if (content.loyaltyEventId !== null && content.data.customerIdentifiers !== undefined)
    customer.loyaltyLog.push({ id: serial, at, eventName: name, uniqueId: content.loyaltyEventId });
}

interface Cause {
  readonly name: string;
  readonly customer: WorldCustomer;
}

/** Makes changes of the world and the events that report them, one by one. */
export interface EventSource {
  /** @param at `createdAt`, epoch ms; never before that of the last one */
  next(at: number): GeneratedEvent;
}

export function createEventSource(options: EventSourceOptions): EventSource {
  const { world, population, random, names, awkward, isLive } = options;
  const nextName = createShuffle(ownNames(options), random);
  const nextVariant = createShuffle(variantsFor(options), random);
  const causes: Cause[] = [];
  let index = 0;

  const make = (name: string, template: EventTemplate, customer: WorldCustomer, at: number) => {
    const serial = world.nextSerial();
    const context = { random, at, serial, customer, world, clubShare: isLive ? CLUB_SHARE : 0 };
    const content = template.make(context);
    keepRecords(name, content, context);
    for (const followUp of content.followUps ?? []) follow(followUp, customer, at);
    return flatEvent(name, content, context);
  };

  /** An event that nobody asked for happens too. */
  const follow = (name: string, customer: WorldCustomer, at: number): void => {
    const isAsked = isLive && (names?.includes(name) ?? true);
    const template = CAUSED_TEMPLATES.get(name);
    if (isAsked) causes.push({ name, customer });
    else if (template && isNeeded(name)) make(name, template, customer, at);
  };

  const isNeeded = (name: string): boolean =>
    isLive ? name !== 'tierUpgraded' : name === 'issuedPointsReversed';

  return {
    next: (at) => {
      const cause = causes.shift();
      const caused = cause && CAUSED_TEMPLATES.get(cause.name);
      if (cause && caused) return serialize(make(cause.name, caused, cause.customer, at), undefined);
      const chosen = isInShare(index, awkward) ? nextVariant() : undefined;
      index += 1;
      const own = chosen?.kind === 'content' ? createShuffle(chosen.form.names, random)() : undefined;
      const name = own ?? nextName() ?? 'customerUpdated';
      const variant = chosen ?? (isLive ? onlyVariantOf(name) : undefined);
      const template = templateOf(name, variant, options);
      const customer =
        template.isRegistration === true
          ? population.register(at)
          : population.choose(at, (candidate) => template.fits(candidate, at));
      const event = make(name, template, customer, at);
      const changes = variant?.kind === 'content' ? variant.form.envelope : undefined;
      return serialize(withChanges(event, changes), variant);
    },
  };
}
