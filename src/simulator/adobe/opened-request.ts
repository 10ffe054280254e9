import { customerIdText } from '../../capillary/identifiers.ts';
import { isJsonObject, type JsonObject } from '../../capillary/json.ts';
import { customerIdOf } from '../../capillary/person.ts';
import type { FaultMessage, FiredFault } from './fault-script.ts';
import { violationText } from './field-violations.ts';
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
import { type Operation, readOperations } from './upsert-operations.ts';
import { PENDING, type RecordVerdict } from './record-fate.ts';
import { type Identity, identityKey, primaryIdentity } from './record-identity.ts';
import { kindOf, recordViolations } from './record-violations.ts';
import type { SimulatorSettings } from './simulator-options.ts';

/** A well-formed request with its envelopes checked. */
export interface OpenedRequest {
  readonly request: InletRequest;
  readonly requestId: string;
  readonly envelopes: readonly OpenedEnvelope[];
  /** The same messages, as fault rules match them. */
  readonly faultMessages: readonly FaultMessage[];
}

/**
 * The result of one message in the answer, and whether it is accepted; a fault can separate them.
 */
export interface MessageOutcome {
  readonly item: ItemAnswer;
  readonly lands: boolean;
}

export function openRequest(
  request: InletRequest,
  requestId: string,
  messages: readonly unknown[],
  settings: SimulatorSettings,
): OpenedRequest {
  const context = envelopeContext(request, settings);
  const flowId = flowIdOf(request);
  return {
    request,
    requestId,
    envelopes: messages.map((value) => openEnvelope(value, context)),
    faultMessages: messages.map((value) => faultMessage(value, flowId)),
  };
}

function ownOutcome(envelope: OpenedEnvelope): MessageOutcome {
  if (envelope.ok) return { item: { ok: true }, lands: true };
  const { status, reason: message } = envelope;
  return { item: { ok: false, status, key: 'status', message, omitXaction: false }, lands: false };
}

/** The outcome of each message, in order. */
export function decideOutcomes(opened: OpenedRequest, fault: FiredFault | undefined): MessageOutcome[] {
  const items = fault?.action.items;
  if (!fault || !items) return opened.envelopes.map(ownOutcome);
  const failing = failingItems(items, opened.faultMessages, fault.random);
  const { status, key, omitXaction, lands } = items;
  const message = items.message ?? 'scripted by the simulator';
  return opened.envelopes.map((envelope, position) =>
    failing.has(position)
      ? { item: { ok: false, status, key, message, omitXaction }, lands: lands && envelope.ok }
      : ownOutcome(envelope),
  );
}

/** The namespace of customer ids in the simulated mapping set. */
const CUSTOMER_NAMESPACE = 'capillaryId';

/**
 * The person that a raw payload is about. AEP's mapping set is simulated in its simplest form: it
 * copies the payload and finds the person by an identityMap, otherwise by Capillary's customer id.
 */
function rawIdentity(payload: JsonObject): Identity | undefined {
  const data = isJsonObject(payload['data']) ? payload['data'] : {};
  const id = customerIdOf(data) ?? customerIdText(payload['customerId']);
  return primaryIdentity(payload) ?? (id === undefined ? undefined : { namespace: CUSTOMER_NAMESPACE, id });
}

/**
 * A raw payload has an identity only if it has operations; the others depend on the mapping set.
 */
function identityOf({ format, entity, operations }: InletMessage): Identity | undefined {
  if (format === 'xdm') return primaryIdentity(entity);
  return operations === undefined ? undefined : rawIdentity(entity);
}

/** Why a raw payload is dropped, and what it does to the profile. */
function rawEffect(
  { operations }: InletMessage,
  identity: Identity | undefined,
): { readonly dropped: readonly string[]; readonly operation?: Operation } {
  const read = readOperations(operations);
  if (!read.ok) return { dropped: [read.reason] };
  const { operation } = read;
  if (operations === undefined) return { dropped: [] };
  const lacksIdentity = operation !== 'create' && identity === undefined;
  return {
    operation,
    dropped: lacksIdentity ? [`operations: ${operation} of a payload without an identity`] : [],
  };
}

/**
 * Dataset and person of each message. Adobe may apply two concurrent messages of one key in either
 * order.
 */
export function personKeys(opened: OpenedRequest): string[] {
  return opened.envelopes.flatMap((envelope) => {
    if (!envelope.ok) return [];
    const identity = identityOf(envelope.message);
    return identity ? [`${envelope.message.datasetId} ${identityKey(identity)}`] : [];
  });
}

/**
 * Why a record is dropped, and what a raw one does to the profile. The platform knows the schema of
 * what arrives at its inlets, so their records are judged there.
 */
function effectOf(
  message: InletMessage,
  identity: Identity | undefined,
  { settings, verdict }: RecordContext,
): ReturnType<typeof rawEffect> {
  const { namespaces, now } = settings;
  if (message.format === 'raw') {
    const { dropped, ...effect } = rawEffect(message, identity);
    if (verdict?.state === 'failed') return { ...effect, dropped: verdict.dropped };
    return { ...effect, dropped: [...dropped, ...(verdict?.dropped ?? [])] };
  }
  if (verdict) return { dropped: verdict.dropped };
  return { dropped: recordViolations(message.entity, now(), namespaces).map(violationText) };
}

interface RecordContext {
  readonly settings: SimulatorSettings;
  /** Of a record at an inlet that the platform API made. */
  readonly verdict: RecordVerdict | undefined;
}

/**
 * The record of one message, with the result of the validation that the sender is not notified of
 * (docs/platforms/adobe.md#silent-drops).
 */
export function landedRecord(
  opened: OpenedRequest,
  position: number,
  context: RecordContext,
): NewLanded | undefined {
  const envelope = opened.envelopes[position];
  if (!envelope?.ok) return undefined;
  const { message } = envelope;
  const { format, entity, flowId } = message;
  const datasetId = message.datasetId ?? context.verdict?.datasetId;
  const isXdm = format === 'xdm';
  const id = entityId(entity);
  const identity = identityOf(message);
  const { dropped, ...effect } = effectOf(message, identity, context);
  const { home } = opened.request;
  const sandbox = home?.sandbox.name ?? sandboxOf(opened.request);
  return {
    at: context.settings.now(),
    kind: isXdm ? kindOf(entity) : 'raw',
    inletId: opened.request.inletId,
    flowId,
    entity,
    dropped,
    ...effect,
    ...(context.verdict ? { fate: PENDING } : {}),
    requestId: opened.requestId,
    position,
    ...(datasetId === undefined ? {} : { datasetId }),
    ...(sandbox === undefined ? {} : { sandbox }),
    ...(id === undefined ? {} : { id }),
    ...(typeof entity.eventType === 'string' ? { eventType: entity.eventType } : {}),
    ...(identity === undefined ? {} : { identity }),
  };
}
