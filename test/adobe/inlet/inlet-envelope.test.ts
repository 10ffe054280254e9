import { expect, test } from 'vitest';
import {
  createEnvelopeSerializer,
  serializeEnvelope,
  mergeOperations,
} from '../../../src/adobe/inlet/inlet-envelope.ts';

const target = {
  imsOrgId: '1A2B@AdobeOrg',
  flow: { schemaId: 'https://ns.adobe.com/acme/schemas/1', datasetId: 'd1', flowId: 'f1' },
};
const entity = { _id: 'cap-1', eventType: 'commerce.purchases', name: 'Zoë "Z"' };
const header = {
  imsOrgId: '1A2B@AdobeOrg',
  datasetId: 'd1',
  flowId: 'f1',
  createdAt: '1764000000000',
  source: { name: 'capillary-relay' },
};

test('xdm: the entity, with its schema in header and body', () => {
  const schemaRef = {
    id: 'https://ns.adobe.com/acme/schemas/1',
    contentType: 'application/vnd.adobe.xed-full+json;version=1',
  };
  const json = serializeEnvelope({ ...target, format: 'xdm' }, entity, 1_764_000_000_000);
  expect(JSON.parse(json)).toEqual({
    header: { schemaRef, ...header },
    body: { xdmMeta: { schemaRef }, xdmEntity: entity },
  });
});

test('raw: the unchanged event', () => {
  const json = serializeEnvelope({ ...target, format: 'raw' }, entity, 1_764_000_000_000);
  expect(JSON.parse(json)).toEqual({ header, body: entity });
});

test('raw upsert: the header has the operations', () => {
  const headerWith = (identityDatasetId?: string): unknown => {
    const operations = mergeOperations(identityDatasetId);
    return JSON.parse(serializeEnvelope({ ...target, format: 'raw', operations }, entity, 1_764_000_000_000))
      .header;
  };
  expect(headerWith()).toEqual({ ...header, operations: { data: 'merge' } });
  expect(headerWith('d2')).toEqual({
    ...header,
    operations: { data: 'merge', identity: 'create', identityDatasetId: 'd2' },
  });
});

test('the same input gives the same bytes', () => {
  const texts = [1, 2].map(() => serializeEnvelope({ ...target, format: 'xdm' }, { ...entity }, 1));
  expect(texts[0]).toBe(texts[1]);
});

test.each(['xdm', 'raw'] as const)(
  '%s: a JSON text gives the same message as its record, with its size',
  (format) => {
    const operations = mergeOperations('d2');
    const flow = { ...target.flow, datasetId: 'Zoë' };
    const made = createEnvelopeSerializer({ ...target, flow, format, operations })(JSON.stringify(entity), 1);
    expect(made.json).toBe(serializeEnvelope({ ...target, flow, format, operations }, entity, 1));
    expect(made.bytes).toBe(Buffer.byteLength(made.json));
  },
);
