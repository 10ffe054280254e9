import type { JsonObject } from '../../capillary/json.ts';

/** The dataflow that a message is for. */
export interface EnvelopeFlow {
  readonly schemaId: string;
  readonly datasetId: string;
  readonly flowId: string;
}

/**
 * What Data Prep does with a raw record instead of creating one.
 * Source: docs/platforms/adobe.md#upserts
 */
export interface EnvelopeOperations {
  readonly data: 'merge';
  /** If present, the identities of the record are linked too; needs the identity dataset. */
  readonly identity?: 'create';
  readonly identityDatasetId?: string;
}

export interface EnvelopeTarget {
  readonly imsOrgId: string;
  /** The flow of the events or of the profile. */
  readonly flow: EnvelopeFlow;
  /** `xdm`: the entity is XDM. `raw`: AEP's Data Prep maps it. */
  readonly format: 'xdm' | 'raw';
  /** Only for a raw record that is an upsert. */
  readonly operations?: EnvelopeOperations;
}

/** The operations of a profile upsert. Without an identity dataset no identity is linked. */
export function mergeOperations(identityDatasetId: string | undefined): EnvelopeOperations {
  return {
    data: 'merge',
    ...(identityDatasetId === undefined ? {} : { identity: 'create', identityDatasetId }),
  };
}

/**
 * The only content type that the inlet accepts in a schema reference.
 * Source: docs/platforms/adobe.md#xdm-envelope
 */
const SCHEMA_CONTENT_TYPE = 'application/vnd.adobe.xed-full+json;version=1';

/** One message as it is sent to the inlet. */
export interface SerializedMessage {
  readonly json: string;
  /** UTF-8 bytes of `json`. */
  readonly bytes: number;
}

/**
 * Makes a function that wraps records, which are JSON texts already, into messages for one target.
 * @returns a function of the record (the JSON text of an xdmEntity, or of the flat event if
 *   `raw`), the epoch ms at which the relay received the event, and the bytes of the record if
 *   known
 */
export function createEnvelopeSerializer(
  target: EnvelopeTarget,
): (record: string, receivedAt: number, recordBytes?: number) => SerializedMessage {
  const { beforeTime, beforeRecord, end } = templateOf(target);
  const templateBytes = Buffer.byteLength(beforeTime + beforeRecord + end);
  return (record, receivedAt, recordBytes = Buffer.byteLength(record)) => {
    const time = String(receivedAt);
    return {
      json: beforeTime + time + beforeRecord + record + end,
      bytes: templateBytes + time.length + recordBytes,
    };
  };
}

/**
 * The JSON text of one message. The same input gives the same bytes, so a resend equals the
 * original.
 * @param entity xdmEntity, or the flat event for `raw`
 * @param receivedAt epoch ms at which the relay received the event
 */
export function serializeEnvelope(target: EnvelopeTarget, entity: JsonObject, receivedAt: number): string {
  return createEnvelopeSerializer(target)(JSON.stringify(entity), receivedAt).json;
}

/**
 * The constant text around the time of receipt and the record. `createdAt` is epoch ms as a string;
 * `xdmMeta.schemaRef` must equal that of the header.
 * Sources: docs/platforms/adobe.md#xdm-envelope docs/platforms/adobe.md#raw-envelope
 * docs/platforms/adobe.md#upserts
 */
function templateOf({ imsOrgId, flow, format, operations }: EnvelopeTarget) {
  const isXdm = format === 'xdm';
  const schema = { schemaRef: { id: flow.schemaId, contentType: SCHEMA_CONTENT_TYPE } };
  const address = { ...(isXdm ? schema : {}), imsOrgId, datasetId: flow.datasetId, flowId: flow.flowId };
  const rest = {
    source: { name: 'capillary-relay' },
    ...(isXdm || operations === undefined ? {} : { operations }),
  };
  const body = isXdm ? `${withoutLastBrace({ xdmMeta: schema })},"xdmEntity":` : '';
  return {
    beforeTime: `{"header":${withoutLastBrace(address)},"createdAt":"`,
    beforeRecord: `",${JSON.stringify(rest).slice(1)},"body":${body}`,
    end: isXdm ? '}}' : '}',
  };
}

/** The JSON text of an object without its last brace, so that more fields can follow. */
function withoutLastBrace(object: object): string {
  return JSON.stringify(object).slice(0, -1);
}
