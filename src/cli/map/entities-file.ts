import { successOf } from '../../capillary/api/api-answer.ts';
import { apiError } from '../../capillary/api/api-errors.ts';
import type { CapillaryClient } from '../../capillary/api/capillary-client.ts';
import { type CapillaryReads, createCapillaryReads } from '../../capillary/api/capillary-reads.ts';
import type { Entities, FetchedBill, FetchedCustomer } from '../../capillary/entities.ts';
import type { CapillaryEvent } from '../../capillary/event.ts';
import { idText } from '../../capillary/identifiers.ts';
import { isJsonObject, type JsonObject, parseJsonText } from '../../capillary/json.ts';
import { entitiesIn } from '../../capillary/stored-entities.ts';
import type { SourceConfig } from '../../config/config-schema.ts';
import { CommandError, EXIT } from '../command-error.ts';
import { readInput, splitBodies } from './event-bodies.ts';
import type { KnownEntities } from './known-entities.ts';

/** A client that has this one answer to every question. */
function clientWith(answer: JsonObject): Pick<CapillaryClient, 'get'> {
  const result = {
    kind: 'response',
    status: 200,
    headers: {},
    body: JSON.stringify(answer),
    truncated: false,
    durationMs: 0,
  } as const;
  return {
    async get(path, { tolerated } = {}) {
      const at = Date.now();
      const error = () => apiError(result, { method: 'GET', path }, at);
      return successOf(result, at, tolerated) ?? { ok: false, error: error(), at };
    },
  };
}

interface Entry {
  /** In the form in which the relay stores them. */
  readonly stored?: Entities;
  /** An answer of the API. */
  readonly answer?: JsonObject;
}

/** @throws CommandError if a document is neither of both */
function entriesIn(text: string, file: string): readonly Entry[] {
  return splitBodies(text).map((body, index) => {
    const parsed = parseJsonText(body);
    const value = parsed.ok && isJsonObject(parsed.value) ? parsed.value : {};
    const stored = 'customer' in value || 'bill' in value ? entitiesIn(value) : undefined;
    if (stored !== undefined) return { stored };
    if (
      ['profiles', 'loyaltyInfo', 'billDetails', 'lineItems', 'errors', 'warnings', 'response'].some(
        (name) => name in value,
      )
    )
      return { answer: value };
    throw new CommandError(
      `${file}: document ${index + 1} is neither entities as the relay stores them nor an answer of Capillary's API about a customer or a bill`,
      EXIT.usage,
    );
  });
}

function isBillAnswer(answer: JsonObject): boolean {
  return 'billDetails' in answer || 'lineItems' in answer;
}

const NEVER = new AbortController().signal;

function readsOf(answer: JsonObject, { timezone }: SourceConfig): CapillaryReads {
  return createCapillaryReads({ client: clientWith(answer), serverZone: timezone });
}

async function billOf(
  { stored, answer }: Entry,
  id: string,
  source: SourceConfig,
): Promise<FetchedBill | undefined> {
  if (stored?.bill !== undefined) return stored.bill.bill.transactionId === id ? stored.bill : undefined;
  if (answer === undefined || !isBillAnswer(answer) || idText(answer['id']) !== id) return undefined;
  const read = await readsOf(answer, source).bill(id, 'REGULAR', NEVER);
  return read.ok ? { at: read.at, calls: [read.call], bill: read.value } : undefined;
}

/** An answer without an id, such as one about an erased customer, is about whom it is asked. */
async function customerOf(
  { stored, answer }: Entry,
  id: string,
  source: SourceConfig,
): Promise<FetchedCustomer | undefined> {
  const known = stored?.customer;
  if (known !== undefined) {
    const of = known.kind === 'found' || known.kind === 'no-loyalty' ? known.customer?.customerId : undefined;
    return of === undefined || of === id ? known : undefined;
  }
  if (answer === undefined || isBillAnswer(answer)) return undefined;
  const about = idText(answer['id']);
  if (about !== undefined && about !== id) return undefined;
  const read = await readsOf(answer, source).customer(id, NEVER);
  return read.ok ? { at: read.at, calls: [read.call], ...read.value } : undefined;
}

/** The first that is not undefined. */
async function firstOf<T>(
  entries: readonly Entry[],
  read: (entry: Entry) => Promise<T | undefined>,
): Promise<T | undefined> {
  for (const entry of entries) {
    const value = await read(entry);
    if (value !== undefined) return value;
  }
  return undefined;
}

function transactionIdOf({ data }: CapillaryEvent): string | undefined {
  return idText(data['transactionId']);
}

/**
 * `map --entities FILE`: what a file says about the customers and bills of events. It has documents
 * as events are read from files: entities as the relay stores them, or bodies of
 * `GET /v2/customers/{id}` and `GET /v2/transactions/{id}`.
 * @throws CommandError if the file cannot be read
 */
export async function fileEntities(file: string): Promise<KnownEntities> {
  const entries = entriesIn((await readInput(file)).toString('utf8'), file);
  return {
    async of(event, source) {
      const { customerId } = event;
      const transactionId = transactionIdOf(event);
      const customer =
        customerId === undefined
          ? undefined
          : await firstOf(entries, (entry) => customerOf(entry, customerId, source));
      const bill =
        transactionId === undefined
          ? undefined
          : await firstOf(entries, (entry) => billOf(entry, transactionId, source));
      if (customer === undefined && bill === undefined) return undefined;
      return { entities: { ...(customer && { customer }), ...(bill && { bill }) } };
    },
    close: () => Promise.resolve(),
  };
}
