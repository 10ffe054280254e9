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
export const mergeOperations = (identityDatasetId: string | undefined): EnvelopeOperations => ({
  data: 'merge',
  ...(identityDatasetId === undefined ? {} : { identity: 'create', identityDatasetId }),
});

/** The only content type that a schema reference of the inlet's header takes (adobe.md §2.3). */
const SCHEMA_CONTENT_TYPE = 'application/vnd.adobe.xed-full+json;version=1';

/**
 * The JSON text of one message, ready for the inlet. The same input gives the same text, so that a resend is byte for byte the
 * first sending.
 * Sources: adobe.md §2.3 (`createdAt` is epoch ms as a text; `xdmMeta.schemaRef` must equal the header's), §2.4 (raw form), §4.3 (`operations`).
 * @param entity xdmEntity, or the flat event for `raw`
 * @param receivedAt epoch ms at which the relay received the event
 */
export const envelope = (target: EnvelopeTarget, entity: JsonObject, receivedAt: number): string => {
  const { imsOrgId, flow, format, operations } = target;
  const address = {
    imsOrgId,
    datasetId: flow.datasetId,
    flowId: flow.flowId,
    createdAt: String(receivedAt),
    source: { name: 'capillary-relay' },
  };
  if (format === 'raw') {
    const header = operations === undefined ? address : { ...address, operations };
    return JSON.stringify({ header, body: entity });
  }
  const schemaRef = { id: flow.schemaId, contentType: SCHEMA_CONTENT_TYPE };
  return JSON.stringify({
    header: { schemaRef, ...address },
    body: { xdmMeta: { schemaRef }, xdmEntity: entity },
  });
};
