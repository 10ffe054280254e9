import type { IncomingHttpHeaders } from 'node:http';
import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import type { Answer } from './exchange.ts';
import type { FaultMessage } from './fault-script.ts';
import { authorizationProblem, inletProblem } from './inlet-answer.ts';
import { connectionParams } from './platform/flow-body.ts';
import type { ProvisionedInlet } from './platform/sandbox.ts';
import type { SimulatorSettings } from './simulator-options.ts';
import type { SimulatorState } from './simulator-state.ts';

/**
 * Adobe's limit is 1 MB, in an undefined unit (docs/platforms/adobe.md#limits). The stricter
 * interpretation also detects a sender that relies on 1 048 576 bytes.
 */
const MAX_REQUEST_BYTES = 1_000_000;

/** A request before it is checked. */
export interface InletRequest {
  readonly endpoint: 'batch' | 'single';
  readonly inletId: string;
  readonly headers: IncomingHttpHeaders;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  /** The connection of the inlet, if the platform API has made it. */
  readonly home: ProvisionedInlet | undefined;
}

/** The messages of a valid request, or the answer that refuses it as a whole. */
export type RequestResult =
  | { readonly ok: true; readonly messages: readonly unknown[] }
  | { readonly ok: false; readonly answer: Answer };

function refused(answer: Answer): RequestResult {
  return { ok: false, answer };
}

function tokenProblem({ headers, inletId, home }: InletRequest, state: SimulatorState): Answer | undefined {
  const isRequired = home
    ? connectionParams(home.connection).isAuthenticationRequired
    : state.settings.requireAuth;
  if (!isRequired) return undefined;
  const [, token] = /^bearer\s+(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  if (token === undefined) return authorizationProblem(inletId, 'Ims service token is empty');
  const tokenState = state.tokens.state(token);
  if (tokenState === 'valid') return undefined;
  return authorizationProblem(
    inletId,
    tokenState === 'expired' ? 'Ims service token has expired' : 'Ims service token is not valid',
  );
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/** Checks the request as a whole, in the order of a gateway. */
export function readInletRequest(request: InletRequest, state: SimulatorState): RequestResult {
  const { inlets, isEmpty } = state.settings;
  const isConfigured = inlets?.some(({ id }) => id === request.inletId) ?? !isEmpty;
  const isDeleted = state.platform
    .sandboxes()
    .some(({ deletedInlets }) => deletedInlets.has(request.inletId));
  if (!request.home && (!isConfigured || isDeleted)) {
    return refused(inletProblem(404, `inletId: [${request.inletId}] does not exist`));
  }
  const problem = tokenProblem(request, state);
  if (problem) return refused(problem);
  if (!request.headers['content-type']?.startsWith('application/json')) {
    return refused(inletProblem(415, 'Content-Type must be application/json'));
  }
  if (request.body.length > MAX_REQUEST_BYTES) {
    return refused(inletProblem(413, `the request is over ${MAX_REQUEST_BYTES} bytes`));
  }
  const value = parse(request.body);
  if (value === undefined) return refused(inletProblem(400, 'The request is not valid JSON'));
  if (request.endpoint === 'single') return { ok: true, messages: [value] };
  const messages = isJsonObject(value) ? value.messages : undefined;
  if (!Array.isArray(messages) || messages.length === 0) {
    return refused(inletProblem(400, "The 'messages' field is mandatory and must contain messages"));
  }
  return { ok: true, messages };
}

function headerText(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The header, or the query parameter that can replace it (docs/platforms/adobe.md#inlet-urls). */
export function flowIdOf({ headers, query }: InletRequest): string | undefined {
  return headerText(headers['x-adobe-flow-id']) ?? query.get('x-adobe-flow-id') ?? undefined;
}

export function sandboxOf({ headers }: InletRequest): string | undefined {
  return headerText(headers['x-sandbox-name']);
}

/** What the connection of an inlet expects of envelopes. */
function connectionContext(
  request: InletRequest,
  { sandbox, connection }: ProvisionedInlet,
): EnvelopeContext {
  const isRaw = connectionParams(connection).dataType === 'raw';
  return {
    inletId: request.inletId,
    flowId: flowIdOf(request),
    imsOrgId: connection.imsOrgId,
    acceptsRaw: () => isRaw,
    hasSchema: (schemaId) => sandbox.schemas.has(schemaId),
  };
}

/** The context in which the envelopes of this request are checked. */
export function envelopeContext(request: InletRequest, settings: SimulatorSettings): EnvelopeContext {
  if (request.home) return connectionContext(request, request.home);
  const inlet = settings.inlets?.find(({ id }) => id === request.inletId);
  const isRaw = (inlet?.dataType ?? settings.dataType) === 'raw';
  return {
    inletId: request.inletId,
    flowId: flowIdOf(request),
    imsOrgId: inlet?.imsOrgId,
    acceptsRaw: (datasetId) => isRaw || (datasetId !== undefined && settings.rawDatasets.includes(datasetId)),
  };
}

/** What is validated only after the answer. */
export interface MessageHeader {
  readonly schemaId: string;
  readonly hasSource: boolean;
  readonly hasEntity: boolean;
}

/** A message that the inlet accepts. */
export interface InletMessage {
  /** `raw`: a payload that AEP's Data Prep maps. */
  readonly format: 'xdm' | 'raw';
  readonly entity: JsonObject;
  readonly datasetId?: string;
  /** Empty if the message names none, which only an inlet of the platform API accepts. */
  readonly flowId: string;
  /** Of an XDM message. */
  readonly header?: MessageHeader;
  /** `header.operations` of a raw payload, unparsed. */
  readonly operations?: JsonValue;
}

export type OpenedEnvelope =
  | { readonly ok: true; readonly message: InletMessage }
  | { readonly ok: false; readonly status: number; readonly reason: string };

/** The expectations that an envelope is checked against. */
export interface EnvelopeContext {
  readonly inletId: string;
  /**
   * `x-adobe-flow-id`, an alternative to `header.flowId` (docs/platforms/adobe.md#inlet-headers).
   */
  readonly flowId: string | undefined;
  /** The organisation of the inlet; undefined to accept any. */
  readonly imsOrgId: string | undefined;
  /** Whether the dataset accepts payloads that are not XDM. */
  readonly acceptsRaw: (datasetId: string | undefined) => boolean;
  /**
   * Whether the sandbox has a schema, for an inlet of the platform API. It accepts messages without
   * a flow or an entity: both show only later, if at all (docs/platforms/adobe.md#silent-drops).
   */
  readonly hasSchema?: (schemaId: string) => boolean;
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function asObject(value: unknown): JsonObject | undefined {
  return isJsonObject(value) ? value : undefined;
}

function headerOf(envelope: unknown): JsonObject | undefined {
  return asObject(asObject(envelope)?.header);
}

function bodyOf(envelope: unknown): JsonObject | undefined {
  return asObject(asObject(envelope)?.body);
}

const ENTITY_ID = '_id';

/** The id of a message: `_id`, or `eventId` of a raw payload. */
export function entityId(entity: JsonObject | undefined): string | undefined {
  return asText(entity?.[ENTITY_ID]) ?? asText(entity?.eventId);
}

/** What fault rules can match, read even from an invalid envelope. */
export function faultMessage(value: unknown, flowId: string | undefined): FaultMessage {
  const entity = asObject(bodyOf(value)?.xdmEntity) ?? bodyOf(value) ?? asObject(value);
  return { id: entityId(entity), flowId: asText(headerOf(value)?.flowId) ?? flowId, value };
}

function schemaKey(ref: unknown): string | undefined {
  const schema = asObject(ref);
  const id = asText(schema?.id);
  return id && `${id} ${asText(schema?.contentType) ?? ''}`;
}

function fail(reason: string): OpenedEnvelope {
  return { ok: false, status: 400, reason };
}

function mandatory(field: string): OpenedEnvelope {
  return fail(`The '${field}' field is mandatory. Please provide a valid value.`);
}

function openXdm(head: JsonObject, content: JsonObject, context: EnvelopeContext, about: string) {
  const declared = schemaKey(head.schemaRef);
  if (!declared) return mandatory('header.schemaRef');
  const datasetId = asText(head.datasetId);
  if (!datasetId) return mandatory('header.datasetId');
  const isProvisioned = context.hasSchema !== undefined;
  const flowId = asText(head.flowId) ?? context.flowId ?? '';
  if (flowId === '' && !isProvisioned) return mandatory('header.flowId');
  const used = schemaKey(asObject(content.xdmMeta)?.schemaRef);
  if (!used) return fail(`${about} Message has unknown xdm format`);
  if (used !== declared) return fail(`${about} Message is invalid: the schemaRef of header and body differ`);
  const schemaId = asText(asObject(head.schemaRef)?.id) ?? '';
  if (context.hasSchema?.(schemaId) === false) return fail(`${about} Message has unknown xdm format`);
  const entity = asObject(content.xdmEntity);
  if (!entity && !isProvisioned) return fail('Payload body is missing xdmEntity');
  const hasSource = asText(asObject(head.source)?.name) !== undefined;
  const header = { schemaId, hasSource, hasEntity: entity !== undefined };
  return { ok: true, message: { format: 'xdm', entity: entity ?? {}, datasetId, flowId, header } } as const;
}

/**
 * Checks the envelope of one message as the inlet does before it answers
 * (docs/platforms/adobe.md#xdm-envelope, docs/platforms/adobe.md#raw-envelope). An absent imsOrgId
 * is filled in by the service, a wrong one is refused.
 */
export function openEnvelope(value: unknown, context: EnvelopeContext): OpenedEnvelope {
  const envelope = asObject(value);
  if (!envelope) return fail('The message is not a JSON object.');
  const head = headerOf(envelope);
  const content = bodyOf(envelope);
  const datasetId = asText(head?.datasetId);
  const flowId = asText(head?.flowId) ?? context.flowId;
  const isRaw = context.acceptsRaw(datasetId) && !content?.xdmMeta;
  if (isRaw && !head && (flowId || context.hasSchema)) {
    return { ok: true, message: { format: 'raw', entity: envelope, flowId: flowId ?? '' } };
  }
  if (!head) return mandatory('header');
  const org = head.imsOrgId ?? context.imsOrgId;
  const about = `inletId: [${context.inletId}] imsOrgId: [${asText(org) ?? ''}]`;
  const isOrg = typeof org === 'string' && /^[^@\s]+@AdobeOrg$/.test(org);
  if (org !== undefined && (!isOrg || (context.imsOrgId ?? org) !== org)) {
    return fail(`${about} Message has an absent or wrong ims org in the header`);
  }
  if (!content) return mandatory('body');
  if (!isRaw) return openXdm(head, content, context, about);
  if (!flowId && !context.hasSchema) return mandatory('header.flowId');
  const entity = asObject(content.xdmEntity) ?? content;
  const operations = head.operations === undefined ? {} : { operations: head.operations };
  const dataset = datasetId ? { datasetId } : {};
  return { ok: true, message: { format: 'raw', entity, flowId: flowId ?? '', ...dataset, ...operations } };
}
