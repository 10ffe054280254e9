import { failingItems, type ItemAnswer } from './batch-answer.ts';
import { entityId, faultMessage, type InletMessage, type OpenedEnvelope, openEnvelope } from './envelope.ts';
import type { FaultMessage, FiredFault } from './faults.ts';
import { type Identity, identityKey, primaryIdentity } from './identity.ts';
import { envelopeContext, flowIdOf, type InletRequest, sandboxOf } from './inlet-request.ts';
import type { NewLanded } from './landed-store.ts';
import { type Operation, rawIdentity, readOperations } from './operations.ts';
import type { SimulatorSettings } from './simulator-options.ts';
import { violationText } from './violations.ts';
import { kindOf, recordViolations } from './xdm-record.ts';

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
