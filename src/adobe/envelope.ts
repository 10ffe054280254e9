import type { JsonObject } from '../capillary/json.ts';

/** The dataflow that a message goes into. */
export interface EnvelopeFlow {
  readonly schemaId: string;
  readonly datasetId: string;
  readonly flowId: string;
}

/** What Data Prep does with a raw record instead of creating one (adobe.md §4.3). */
export interface EnvelopeOperations {
  readonly data: 'merge';
  /** With it the record's identities are linked too; it names the dataset that keeps the links. */
  readonly identity?: 'create';
  readonly identityDatasetId?: string;
}

export interface EnvelopeTarget {
  readonly imsOrgId: string;
  /** The events' flow or the profile's. */
  readonly flow: EnvelopeFlow;
  /** `xdm`: the entity is XDM. `raw`: AEP's Data Prep maps it. */
  readonly format: 'xdm' | 'raw';
  /** Of a raw record that is an upsert. */
  readonly operations?: EnvelopeOperations;
}

/** A PATCH of the profile. Without an identity dataset no identity is linked by it. */
export function mergeOperations(identityDatasetId: string | undefined): EnvelopeOperations {
  return {
    data: 'merge',
    ...(identityDatasetId === undefined ? {} : { identity: 'create', identityDatasetId }),
  };
}

/** The only content type that a schema reference of the inlet's header takes (adobe.md §2.3). */
const SCHEMA_CONTENT_TYPE = 'application/vnd.adobe.xed-full+json;version=1';

/** One message, ready for the inlet. */
export interface Enveloped {
  readonly json: string;
  /** Of `json` in UTF-8. */
  readonly bytes: number;
}

/**
 * Makes messages of one target around records that are JSON texts already.
 * @returns takes the text of an xdmEntity, or of the flat event for `raw`, and the epoch ms at which the relay received the event
 */
export function createEnvelope(target: EnvelopeTarget): (record: string, receivedAt: number) => Enveloped {
  const { beforeTime, beforeRecord, end } = frameOf(target);
  const frameBytes = Buffer.byteLength(beforeTime + beforeRecord + end);
  return (record, receivedAt) => {
    const time = String(receivedAt);
    return {
      json: beforeTime + time + beforeRecord + record + end,
      bytes: frameBytes + time.length + Buffer.byteLength(record),
    };
  };
}

/**
 * The JSON text of one message. The same input gives the same text, so that a resend is byte for byte the first sending.
 * @param entity xdmEntity, or the flat event for `raw`
 * @param receivedAt epoch ms at which the relay received the event
 */
export function envelope(target: EnvelopeTarget, entity: JsonObject, receivedAt: number): string {
  return createEnvelope(target)(JSON.stringify(entity), receivedAt).json;
}

/**
 * What stands around the time of receipt and the record: the same in every message of a target.
 * Sources: adobe.md §2.3 (`createdAt` is epoch ms as a text; `xdmMeta.schemaRef` must equal the header's), §2.4 (raw form), §4.3 (`operations`).
 */
function frameOf({ imsOrgId, flow, format, operations }: EnvelopeTarget) {
  const isXdm = format === 'xdm';
  const schema = { schemaRef: { id: flow.schemaId, contentType: SCHEMA_CONTENT_TYPE } };
  const address = { ...(isXdm ? schema : {}), imsOrgId, datasetId: flow.datasetId, flowId: flow.flowId };
  const rest = {
    source: { name: 'capillary-relay' },
    ...(isXdm || operations === undefined ? {} : { operations }),
  };
  const body = isXdm ? `${unclosed({ xdmMeta: schema })},"xdmEntity":` : '';
  return {
    beforeTime: `{"header":${unclosed(address)},"createdAt":"`,
    beforeRecord: `",${JSON.stringify(rest).slice(1)},"body":${body}`,
    end: isXdm ? '}}' : '}',
  };
}

/** The JSON text of an object without its last brace, so that more can follow. */
function unclosed(object: object): string {
  return JSON.stringify(object).slice(0, -1);
}
