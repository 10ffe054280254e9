import type { JsonObject } from '../../capillary/json.ts';
import {
  CONTENT_VARIANTS,
  type ContentVariant,
  ENVELOPE_VARIANTS,
  type EnvelopeVariant,
  type FlatEvent,
  genericContent,
} from './event-variants.ts';
import { createPopulation, type Population } from './simulated-customer.ts';
import { CUSTOMER_TEMPLATES, TRANSACTION_TEMPLATES } from './customer-events.ts';
import { anybody, type EventContent, type EventContext, type EventTemplate } from './event-template.ts';
import { POINTS_TEMPLATES } from './points-events.ts';
import { createRandom, type Random, randomUuid, shuffled } from '../random.ts';
import { TIER_TEMPLATES } from './tier-events.ts';

/** An event as Capillary would post it. */
export interface GeneratedEvent {
  readonly name: string;
  /** `plain`, or in which way it is awkward. */
  readonly variant: string;
  readonly body: string;
  /** Absent where the body has none. */
  readonly eventId?: string;
  /** Of the person the event is about; absent for a group's points. */
  readonly customerId?: string;
}

export interface EventsOptions {
  readonly count: number;
  /** Different customers; default 50. */
  readonly customers?: number;
  /** Event names, each as often as the others; default the 14 that Adobe's connector knows, and others among the awkward ones. */
  readonly names?: readonly string[];
  /** Default 1: the same options give the same events. */
  readonly seed?: number;
  /** Epoch ms that no event is later than; default the clock's. */
  readonly now?: number;
  readonly orgId?: number;
  /** Share of events in an unusual form or of unusual content; default 0.2. */
  readonly awkward?: number;
  /** ms between one event's creation and the next; default 1000. */
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

/** The 14 names of Adobe's Capillary source (reference: capillary.md §4.1). */
export const DOCUMENTED_NAMES: readonly string[] = [...TEMPLATES.keys()];

const DEFAULT_ORG_ID = 100_737;

/** Deals each value once before it deals one again. */
function createDeck<T>(values: readonly T[], random: Random): () => T | undefined {
  let left: T[] = [];
  return () => {
    if (left.length === 0) left = shuffled(random, values);
    return left.pop();
  };
}

type Variant =
  | { readonly kind: 'envelope'; readonly form: EnvelopeVariant }
  | { readonly kind: 'content'; readonly form: ContentVariant };

/** The variants that keep to the wanted names; all of them when no names are asked for. */
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
  const template = TEMPLATES.get(name) ?? anybody((context) => genericContent(context, name));
  const form = variant?.kind === 'content' ? variant.form : undefined;
  return form ? { ...template, make: (context) => form.make(context, name, population) } : template;
}

function envelope(name: string, content: EventContent, context: EventContext, orgId: number): FlatEvent {
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

function changed(event: FlatEvent, changes: ContentVariant['envelope'] = {}): FlatEvent {
  return Object.fromEntries(
    Object.entries({ ...event, ...changes }).filter(([, value]) => value !== undefined),
  ) as FlatEvent;
}

const PERSON_KEYS = ['customerIdentifiers', 'survivorCustomerIdentifiers', 'triggeringActivity'];

function customerIdOf(data: JsonObject): string | undefined {
  const text = JSON.stringify(PERSON_KEYS.map((key) => data[key] ?? null));
  return /"(?:customerId|entityId)":(\d+)/.exec(text)?.[1];
}

function written(event: FlatEvent, variant: Variant | undefined): GeneratedEvent {
  const form: EnvelopeVariant = variant?.kind === 'envelope' ? variant.form : { variant: 'plain' };
  const text = JSON.stringify(form.wrap?.(event) ?? event);
  const { eventName: name, eventId, data } = event;
  const customerId = customerIdOf(data);
  return {
    name,
    variant: variant?.form.variant ?? 'plain',
    body: form.write?.(text) ?? text,
    ...(typeof eventId === 'string' && form.variant !== 'no-event-id' ? { eventId } : {}),
    ...(customerId === undefined ? {} : { customerId }),
  };
}

/** Whether the `index`th of many belongs to this share of them; spread evenly. */
function belongs(index: number, share: number): boolean {
  return Math.floor((index + 1) * share + 1e-9) > Math.floor(index * share + 1e-9);
}

/** Makes events one by one, oldest first, without holding them all. */
export function* generateEvents(options: EventsOptions): Generator<GeneratedEvent> {
  const { count, names, now = Date.now(), orgId = DEFAULT_ORG_ID, awkward = 0.2, stepMs = 1_000 } = options;
  const random = createRandom(options.seed ?? 1);
  const population = createPopulation(options.customers ?? 50, random);
  const dealName = createDeck(names ?? DOCUMENTED_NAMES, random);
  const dealVariant = createDeck(variantsFor(names), random);
  for (let index = 0; index < count; index += 1) {
    const variant = belongs(index, awkward) ? dealVariant() : undefined;
    const own = variant?.kind === 'content' ? createDeck(variant.form.names, random)() : undefined;
    const name = own ?? dealName() ?? 'customerUpdated';
    const template = templateOf(name, variant, population);
    const customer = population.choose(template.fits, template.mend);
    const context = { random, at: now - (count - 1 - index) * stepMs, serial: index + 1, customer };
    const event = envelope(name, template.make(context), context, orgId);
    const changes = variant?.kind === 'content' ? variant.form.envelope : undefined;
    yield written(changed(event, changes), variant);
  }
}

/** The same, all at once. */
export function makeEvents(options: EventsOptions): GeneratedEvent[] {
  return [...generateEvents(options)];
}
