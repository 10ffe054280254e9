import { parseJsonText } from '../capillary/json-text.ts';
import type { JsonValue } from '../capillary/json.ts';

/** A body as JSON, or as base64 when it is not JSON in UTF-8. */
export type BodyView = { readonly body: JsonValue } | { readonly bodyBase64: string };

/** The body as the relay reads it: integers too long for a number are texts, so that no id loses digits. */
export function bodyView(body: Buffer): BodyView {
  const parsed = parseJsonText(textOf(body));
  return parsed.ok ? { body: parsed.value } : { bodyBase64: body.toString('base64') };
}

/** Empty, and so not JSON, for bytes that are not UTF-8: replaced characters would hide what is wrong with them. */
function textOf(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return '';
  }
}
