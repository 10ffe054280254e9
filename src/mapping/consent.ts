import type { JsonValue } from '../capillary/json.ts';

const START = 'consents.';
const PART = /^(consents\..+)\.(val|time|reason)$/;

/**
 * The attributes of a change, with answer, time and reason of a consent as one attribute (`consents.marketing.sms`): an older event must change
 * none of them by itself (reference: adobe.md §5.7). Without an answer there is no consent.
 */
export function withWholeConsents(
  attributes: ReadonlyMap<string, JsonValue>,
): ReadonlyMap<string, JsonValue> {
  if (!hasConsents(attributes)) {
    return attributes;
  }
  const whole = new Map<string, JsonValue>();
  const consents = new Map<string, Record<string, JsonValue>>();
  for (const [path, value] of attributes) {
    const [, consent, part] = PART.exec(path) ?? [];
    if (consent === undefined || part === undefined) {
      whole.set(path, value);
    } else {
      consents.set(consent, { ...consents.get(consent), [part]: value });
    }
  }
  for (const [path, consent] of consents) {
    if (consent['val'] !== undefined) {
      whole.set(path, consent);
    }
  }
  return whole;
}

function hasConsents(attributes: ReadonlyMap<string, JsonValue>): boolean {
  for (const path of attributes.keys()) {
    if (path.startsWith(START)) {
      return true;
    }
  }
  return false;
}
