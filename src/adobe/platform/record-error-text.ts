import { truncateUtf8 } from '../../telemetry/truncate.ts';
import type { RecordError } from './failed-records.ts';

const MAX_REASON_BYTES = 240;

/**
 * Values of records are in square brackets, and can be personal data; names of fields are none. A
 * bracket that is not closed again hides the rest.
 */
function withoutValues(text: string): string {
  const isOfKey = /^(extraneous|required) key \[/.test(text);
  const shown = isOfKey ? text : text.replaceAll(/\[[^\]]*(?:\]|$)/g, '[…]');
  return truncateUtf8(shown, MAX_REASON_BYTES);
}

/** One line for an error of a record, without the value that it is about. */
export function reasonText({ code, message, pointer }: RecordError): string {
  const place = pointer === undefined || pointer === '#' ? '' : ` at ${pointer}`;
  return `${code === undefined ? '' : `${code} `}${withoutValues(message)}${place}`;
}
