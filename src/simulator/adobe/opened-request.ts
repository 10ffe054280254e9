import { customerIdText } from '../../capillary/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import { customerIdOf } from '../../capillary/person.ts';
import type { FaultMessage, FiredFault } from './fault-script.ts';
import { failingItems, type ItemAnswer } from './inlet-answer.ts';
import {
  entityId,
  envelopeContext,
  faultMessage,
  flowIdOf,
  type InletMessage,
  type InletRequest,
  type OpenedEnvelope,
  openEnvelope,
  sandboxOf,
} from './inlet-request.ts';
import type { NewLanded } from './landed-store.ts';
import { type Identity, identityKey, primaryIdentity } from './record-identity.ts';
import { violationText } from './field-violations.ts';
import { kindOf, recordViolations } from './record-violations.ts';
import type { SimulatorSettings } from './simulator-options.ts';

/** A well-formed request with its messages opened. */
export interface Delivery {
  readonly request: InletRequest;
  readonly requestId: string;
  readonly opened: readonly OpenedEnvelope[];
  /** The same messages as fault rules see them. */
  readonly looks: readonly FaultMessage[];
}

/** What the answer will say of one message, and whether it is taken, which a fault may decide otherwise. */
export interface Judgement {
  readonly item: ItemAnswer;
  readonly lands: boolean;
}

export function openDelivery(
  request: InletRequest,
  requestId: string,
  messages: readonly unknown[],
  settings: SimulatorSettings,
): Delivery {
  const context = envelopeContext(request, settings);
  const flowId = flowIdOf(request);
  return {
    request,
    requestId,
    opened: messages.map((value) => openEnvelope(value, context)),
    looks: messages.map((value) => faultMessage(value, flowId)),
  };
}

function natural(opened: OpenedEnvelope): Judgement {
  if (opened.ok) return { item: { ok: true }, lands: true };
  const { status, reason: message } = opened;
  return { item: { ok: false, status, key: 'status', message, omitXaction: false }, lands: false };
}

/** What becomes of each message, in order. */
export function judge(delivery: Delivery, fault: FiredFault | undefined): Judgement[] {
  const items = fault?.action.items;
  if (!fault || !items) return delivery.opened.map(natural);
  const failing = failingItems(items, delivery.looks, fault.random);
  const { status, key, omitXaction, lands } = items;
  const message = items.message ?? 'scripted by the simulator';
  return delivery.opened.map((opened, position) =>
    failing.has(position)
      ? { item: { ok: false, status, key, message, omitXaction }, lands: lands && opened.ok }
      : natural(opened),
  );
}

/** Of a raw payload only what changes a profile is looked into: what others become is for the mapping set. */
function identityIn({ format, entity, operations }: InletMessage): Identity | undefined {
  if (format === 'xdm') return primaryIdentity(entity);
  return operations === undefined ? undefined : rawIdentity(entity);
}

/** What is wrong with a raw payload that no sender hears of, and what it does to the profile. */
function rawFate(
  { operations }: InletMessage,
  identity: Identity | undefined,
): { readonly dropped: readonly string[]; readonly operation?: Operation } {
  const read = readOperations(operations);
  if (!read.ok) return { dropped: [read.reason] };
  const { operation } = read;
  if (operations === undefined) return { dropped: [] };
  const isLost = operation !== 'create' && identity === undefined;
  return { operation, dropped: isLost ? [`operations: ${operation} of a payload that names nobody`] : [] };
}

/** Dataset and person of each message: what Adobe may apply in either order when it comes twice at once. */
export function deliveryKeys(delivery: Delivery): string[] {
  return delivery.opened.flatMap((opened) => {
    if (!opened.ok) return [];
    const identity = identityIn(opened.message);
    return identity ? [`${opened.message.datasetId} ${identityKey(identity)}`] : [];
  });
}

/** The record that one message becomes, with what the validation that nobody hears of says (reference: adobe.md §2.8). */
export function landedRecord(
  delivery: Delivery,
  position: number,
  settings: SimulatorSettings,
): NewLanded | undefined {
  const opened = delivery.opened[position];
  if (!opened?.ok) return undefined;
  const { format, entity, datasetId, flowId } = opened.message;
  const at = settings.now();
  const isXdm = format === 'xdm';
  const id = entityId(entity);
  const identity = identityIn(opened.message);
  const { dropped, ...fate } = isXdm
    ? { dropped: recordViolations(entity, at, settings.namespaces).map(violationText) }
    : rawFate(opened.message, identity);
  const sandbox = sandboxOf(delivery.request);
  return {
    at,
    kind: isXdm ? kindOf(entity) : 'raw',
    inletId: delivery.request.inletId,
    flowId,
    entity,
    dropped,
    ...fate,
    requestId: delivery.requestId,
    position,
    ...(datasetId === undefined ? {} : { datasetId }),
    ...(sandbox === undefined ? {} : { sandbox }),
    ...(id === undefined ? {} : { id }),
    ...(typeof entity.eventType === 'string' ? { eventType: entity.eventType } : {}),
    ...(identity === undefined ? {} : { identity }),
  };
}

/** What a raw record does to the profile: `create` is the default. */
export type Operation = 'create' | 'merge' | 'delete';

/** `header.operations` as Data Prep reads it, or what is wrong with it. */
export type ReadOperations =
  | { readonly ok: true; readonly operation: Operation }
  | { readonly ok: false; readonly reason: string };

const OPERATIONS: readonly unknown[] = ['create', 'merge', 'delete'] satisfies Operation[];

/** The namespace that the mapping set played here gives to a customer id. */
const CUSTOMER_NAMESPACE = 'capillaryId';

function fail(reason: string): ReadOperations {
  return { ok: false, reason: `operations: ${reason}` };
}

/** Reads `header.operations` (reference: adobe.md §4.3): identities can only be created, and then in a dataset of their own. */
export function readOperations(operations: JsonValue | undefined): ReadOperations {
  if (operations === undefined) return { ok: true, operation: 'create' };
  if (!isJsonObject(operations)) return fail('must be an object');
  const { data = 'create', identity, identityDatasetId } = operations;
  if (!OPERATIONS.includes(data)) return fail('data must be create, merge or delete');
  if (identity !== undefined && identity !== 'create') return fail('identity must be create');
  const isNamed = typeof identityDatasetId === 'string' && identityDatasetId !== '';
  if (identity === 'create' && !isNamed) return fail('identity create needs an identityDatasetId');
  return { ok: true, operation: data as Operation };
}

/**
 * Whose profile a raw payload is about. The mapping set of AEP is played in its simplest form: it takes the payload over as it is, finds the
 * person in an identityMap, else by Capillary's customer id.
 */
export function rawIdentity(payload: JsonObject): Identity | undefined {
  const data = isJsonObject(payload['data']) ? payload['data'] : {};
  const id = customerIdOf(data) ?? customerIdText(payload['customerId']);
  return primaryIdentity(payload) ?? (id === undefined ? undefined : { namespace: CUSTOMER_NAMESPACE, id });
}

/** A profile fragment with a PATCH put into it: objects field by field, everything else is replaced. */
export function patched(fragment: JsonObject, patch: JsonObject): JsonObject {
  const fields = new Map(Object.entries(fragment));
  for (const [name, value] of Object.entries(patch)) {
    const before = fields.get(name);
    fields.set(name, isJsonObject(value) && isJsonObject(before) ? patched(before, value) : value);
  }
  return Object.fromEntries(fields);
}
