import type { JsonObject } from '../../capillary/json.ts';
import { createRandom, type Random, randomUuid, shuffled } from '../random.ts';
import { CUSTOMER_TEMPLATES, TRANSACTION_TEMPLATES } from './customer-events.ts';
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
import { POINTS_TEMPLATES } from './points-events.ts';
import { createPopulation, type Population } from './simulated-customer.ts';
import { TIER_TEMPLATES } from './tier-events.ts';

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

export interface EventsOptions {
  readonly count: number;
  /** Number of customers; default 50. */
  readonly customers?: number;
  /**
   * Event names, in equal shares; by default the 14 documented ones, and others in unusual events.
   */
  readonly names?: readonly string[];
  /** Default 1; the same options generate the same events. */
  readonly seed?: number;
  /** Time of the latest event, epoch ms; default the system clock. */
  readonly now?: number;
  readonly orgId?: number;
  /** Share of events with an unusual form or content; default 0.2. */
  readonly awkward?: number;
  /** Time from one event to the next; default 1000 ms. */
  readonly stepMs?: number;
}

const TEMPLATES: ReadonlyMap<string, EventTemplate> = new Map(
  Object.entries({
    ...CUSTOMER_TEMPLATES,
    ...TRANSACTION_TEMPLATES,
    ...POINTS_TEMPLATES,
    ...TIER_TEMPLATES,
  }),
);

/** The 14 names of Adobe's Capillary source (docs/platforms/capillary.md#catalogue). */
export const DOCUMENTED_NAMES: readonly string[] = [...TEMPLATES.keys()];

const DEFAULT_ORG_ID = 100_737;

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
function variantsFor(names: readonly string[] | undefined): Variant[] {
  return [
    ...ENVELOPE_VARIANTS.map((form): Variant => ({ kind: 'envelope', form })),
    ...CONTENT_VARIANTS.map((form) => ({
      ...form,
      names: form.names.filter((name) => names?.includes(name) ?? true),
    }))
      .filter((form) => form.names.length > 0)
      .map((form): Variant => ({ kind: 'content', form })),
  ];
}

function templateOf(name: string, variant: Variant | undefined, population: Population): EventTemplate {
  const template = TEMPLATES.get(name) ?? forAnyCustomer((context) => genericContent(context, name));
  const form = variant?.kind === 'content' ? variant.form : undefined;
  return form ? { ...template, make: (context) => form.make(context, name, population) } : template;
}

function flatEvent(name: string, content: EventContent, context: EventContext, orgId: number): FlatEvent {
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

/** Generates events one by one, oldest first. */
export function* generateEvents(options: EventsOptions): Generator<GeneratedEvent> {
  const { count, names, now = Date.now(), orgId = DEFAULT_ORG_ID, awkward = 0.2, stepMs = 1_000 } = options;
  const random = createRandom(options.seed ?? 1);
  const population = createPopulation(options.customers ?? 50, random);
  const nextName = createShuffle(names ?? DOCUMENTED_NAMES, random);
  const nextVariant = createShuffle(variantsFor(names), random);
  for (let index = 0; index < count; index += 1) {
    const variant = isInShare(index, awkward) ? nextVariant() : undefined;
    const own = variant?.kind === 'content' ? createShuffle(variant.form.names, random)() : undefined;
    const name = own ?? nextName() ?? 'customerUpdated';
    const template = templateOf(name, variant, population);
    const customer = population.choose(template.fits, template.prepare);
    const context = { random, at: now - (count - 1 - index) * stepMs, serial: index + 1, customer };
    const event = flatEvent(name, template.make(context), context, orgId);
    const changes = variant?.kind === 'content' ? variant.form.envelope : undefined;
    yield serialize(withChanges(event, changes), variant);
  }
}

export function makeEvents(options: EventsOptions): GeneratedEvent[] {
  return [...generateEvents(options)];
}
