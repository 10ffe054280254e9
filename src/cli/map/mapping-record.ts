import { isJsonObject, type JsonObject, parseJsonText } from '../../capillary/json.ts';
import { CommandError, EXIT } from '../command-error.ts';
import type { Received, Trial } from './mapping-trial.ts';

/** An event as the input of a mapping. */
export interface MappedEvent {
  readonly source: string;
  readonly body: string | Uint8Array;
  readonly received: Received;
  /** Only of a stored event. */
  readonly receipt?: string;
}

/**
 * What a version of the relay made of one event: a line of `map --json`. It contains the event, so
 * that another version can map it again under the same conditions (`map --compare`).
 */
export function recordOf(trial: Trial, event: MappedEvent, version: string): object {
  const { source, body, received, receipt } = event;
  const { receivedAt, ...stored } = received;
  return {
    ...trial,
    version,
    source,
    ...(receipt === undefined ? {} : { receipt }),
    receivedAt: new Date(receivedAt).toISOString(),
    ...stored,
    ...(typeof body === 'string' ? { body } : { bodyBase64: Buffer.from(body).toString('base64') }),
  };
}

/** A record as it is read back; version 0.2.0 wrote only the trial. */
export interface MappingRecord {
  readonly trial: Trial;
  readonly source?: string;
  readonly body?: string | Uint8Array;
  readonly received: Received;
  readonly receipt?: string;
}

const OUTCOMES: readonly unknown[] = ['not-an-event', 'ignored', 'failed', 'messages'];

/**
 * Reads the lines of a file of records.
 * @param now time of receipt of an event whose record does not state it, in epoch ms
 * @throws CommandError with the number of the line that is not a record
 */
export function readRecords(text: string, file: string, now: number): readonly MappingRecord[] {
  return text
    .split('\n')
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== '')
    .map(({ line, number }) => {
      const parsed = parseJsonText(line);
      if (parsed.ok && isRecord(parsed.value)) return toRecord(parsed.value, now);
      throw new CommandError(`${file}: line ${number} is not a record of map --json`, EXIT.usage);
    });
}

function isRecord(value: unknown): value is JsonObject {
  if (!isJsonObject(value) || !OUTCOMES.includes(value['outcome'])) return false;
  return [value['event'], value['profile']].every((part) => part === undefined || isJsonObject(part));
}

function toRecord(value: JsonObject, now: number): MappingRecord {
  const { source, receipt, receivedAt, body, bodyBase64, identity, orgId } = value;
  const at = typeof receivedAt === 'string' ? Date.parse(receivedAt) : Number.NaN;
  return {
    trial: value as unknown as Trial,
    ...(typeof source === 'string' ? { source } : {}),
    ...(typeof receipt === 'string' ? { receipt } : {}),
    ...(typeof body === 'string' ? { body } : {}),
    ...(typeof bodyBase64 === 'string' ? { body: Buffer.from(bodyBase64, 'base64') } : {}),
    received: {
      receivedAt: Number.isNaN(at) ? now : at,
      ...(typeof identity === 'string' ? { identity } : {}),
      ...(typeof orgId === 'number' ? { orgId } : {}),
    },
  };
}
