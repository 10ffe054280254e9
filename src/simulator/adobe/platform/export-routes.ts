import { type Answer, jsonAnswer } from '../exchange.ts';
import { violationNode } from '../inlet-answer.ts';
import { batchOf } from './batch-routes.ts';
import { problem } from './platform-errors.ts';
import type { PlatformCall, PlatformRoute } from './platform-route.ts';
import type { TwinBatch } from './sandbox.ts';

const EXPORT = '/data/foundation/export';
const MAX_FILES = 100;

interface ExportFile {
  readonly name: string;
  readonly content: string;
}

/** The record of a line, with what is wrong with it. */
function failedLine(record: TwinBatch['records'][number], { state }: PlatformCall): string {
  const { seq, violations } = record;
  const entity = state.landed.get(seq)?.entity;
  const body = entity === undefined ? {} : { body: { xdmEntity: entity } };
  const header = violations.filter(({ keyword }) => keyword === 'header');
  if (header.length === 0) {
    return JSON.stringify({ ...body, _validationErrors: violations.map(violationNode) });
  }
  const messages = header.map(({ message }) => ({ message }));
  // The documentation has this one among the violations of the record.
  const isOfRecord = messages.some(({ message }) => message.includes('xdmEntity'));
  const errors = isOfRecord
    ? { _validationErrors: messages }
    : { _errors: { _streamingValidation: messages } };
  return JSON.stringify({ ...body, ...errors });
}

/** The files of a failed batch: an empty mark, and one with a line for each record. */
function failedFiles(batch: TwinBatch, call: PlatformCall): ExportFile[] {
  if (batch.status !== 'failed') return [];
  const lines = batch.records.map((record) => failedLine(record, call));
  return [
    { name: '_SUCCESS', content: '' },
    { name: `part-00000-${batch.id.toLowerCase()}-c000.json`, content: `${lines.join('\n')}\n` },
  ];
}

function textAnswer(content: string): Answer {
  return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: content };
}

function getFailed(call: PlatformCall): Answer {
  const found = batchOf(call);
  if ('status' in found) return found;
  const { batch } = found;
  const files = failedFiles(batch, call);
  const path = call.query.get('path');
  if (path !== null) {
    const file = files.find(({ name }) => name === path);
    return file ? textAnswer(file.content) : problem(404, 'Not Found', `The path ${path} is not found.`);
  }
  const base = `http://${call.headers.host ?? ''}${EXPORT}/batches/${batch.id}/failed`;
  const data = files.map(({ name, content }) => ({
    name,
    length: String(Buffer.byteLength(content)),
    _links: { self: { href: `${base}?path=${name}` } },
  }));
  return jsonAnswer(200, { data, _page: { limit: MAX_FILES, count: data.length } });
}

/** A batch in the lake has one file. */
function fileIdOf(batch: TwinBatch): string {
  return `${batch.id}-1`;
}

function listFiles(call: PlatformCall): Answer {
  const found = batchOf(call);
  if ('status' in found) return found;
  const { batch } = found;
  const id = fileIdOf(batch);
  const href = `http://${call.headers.host ?? ''}${EXPORT}/files/${id}`;
  const file = {
    dataSetFileId: id,
    dataSetViewId: batch.datasetId,
    version: '1.0.0',
    created: String(batch.createdAt),
    updated: String(batch.completedAt),
    records: String(batch.records.length),
    size: String(batch.bytes),
    isValid: true,
    _links: { self: { href } },
  };
  const data = batch.status === 'failed' ? [] : [file];
  return jsonAnswer(200, { data, _page: { limit: MAX_FILES, count: data.length } });
}

/** Adobe's files are Parquet; here they have a line of JSON for each record. */
function getFile(call: PlatformCall): Answer {
  const { sandbox, params, query, state, headers } = call;
  const batch = sandbox.batches.find((one) => fileIdOf(one) === params.id);
  if (!batch) return problem(404, 'Not Found', `The file ${params.id} is not found.`);
  const lines = batch.records.map(({ seq }) => JSON.stringify(state.landed.get(seq)?.entity ?? {}));
  const content = `${lines.join('\n')}\n`;
  const name = `${batch.id}.json`;
  if (query.get('path') === name) return textAnswer(content);
  const href = `http://${headers.host ?? ''}${EXPORT}/files/${params.id}?path=${name}`;
  const data = [{ name, length: String(Buffer.byteLength(content)), _links: { self: { href } } }];
  return jsonAnswer(200, { data, _page: { limit: MAX_FILES, count: 1 } });
}

/** The files of batches (docs/platforms/adobe.md#batches). */
export const EXPORT_ROUTES: readonly PlatformRoute[] = [
  { method: 'GET', path: `${EXPORT}/batches/:id/failed`, permission: 'View Datasets', answer: getFailed },
  { method: 'GET', path: `${EXPORT}/batches/:id/files`, permission: 'View Datasets', answer: listFiles },
  { method: 'GET', path: `${EXPORT}/files/:id`, permission: 'View Datasets', answer: getFile },
];
