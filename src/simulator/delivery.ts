import { failingItems, type ItemAnswer } from './batch-answer.ts';
import { entityId, faultMessage, type OpenedEnvelope, openEnvelope } from './envelope.ts';
import type { FaultMessage, FiredFault } from './faults.ts';
import { identityKey, primaryIdentity } from './identity.ts';
import { envelopeContext, flowIdOf, type InletRequest, sandboxOf } from './inlet-request.ts';
import type { NewLanded } from './landed-store.ts';
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

export const openDelivery = (
  request: InletRequest,
  requestId: string,
  messages: readonly unknown[],
  settings: SimulatorSettings,
): Delivery => {
  const context = envelopeContext(request, settings);
  const flowId = flowIdOf(request);
  return {
    request,
    requestId,
    opened: messages.map((value) => openEnvelope(value, context)),
    looks: messages.map((value) => faultMessage(value, flowId)),
  };
};

const natural = (opened: OpenedEnvelope): Judgement => {
  if (opened.ok) return { item: { ok: true }, lands: true };
  const { status, reason: message } = opened;
  return { item: { ok: false, status, key: 'status', message, omitXaction: false }, lands: false };
};

/** What becomes of each message, in order. */
export const judge = (delivery: Delivery, fault: FiredFault | undefined): Judgement[] => {
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
};

/** Dataset and person of each message: what Adobe may apply in either order when it comes twice at once. */
export const deliveryKeys = (delivery: Delivery): string[] =>
  delivery.opened.flatMap((opened) => {
    if (!opened.ok) return [];
    const identity = primaryIdentity(opened.message.entity);
    return identity ? [`${opened.message.datasetId} ${identityKey(identity)}`] : [];
  });

/** The record that one message becomes, with what the validation that nobody hears of says (reference: adobe.md §2.8). */
export const landedRecord = (
  delivery: Delivery,
  position: number,
  settings: SimulatorSettings,
): NewLanded | undefined => {
  const opened = delivery.opened[position];
  if (!opened?.ok) return undefined;
  const { format, entity, datasetId, flowId } = opened.message;
  const at = settings.now();
  const isXdm = format === 'xdm';
  const id = entityId(entity);
  const identity = isXdm ? primaryIdentity(entity) : undefined;
  const sandbox = sandboxOf(delivery.request);
  return {
    at,
    kind: isXdm ? kindOf(entity) : 'raw',
    inletId: delivery.request.inletId,
    flowId,
    entity,
    dropped: isXdm ? recordViolations(entity, at, settings.namespaces).map(violationText) : [],
    requestId: delivery.requestId,
    position,
    ...(datasetId === undefined ? {} : { datasetId }),
    ...(sandbox === undefined ? {} : { sandbox }),
    ...(id === undefined ? {} : { id }),
    ...(typeof entity.eventType === 'string' ? { eventType: entity.eventType } : {}),
    ...(identity === undefined ? {} : { identity }),
  };
};
