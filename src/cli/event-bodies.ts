import { parseJsonText } from '../capillary/json-text.ts';

function isJson(text: string): boolean {
  const parsed = parseJsonText(text);
  return parsed.ok || parsed.code !== 'not-json';
}

/** Lines that hold something, when the first of them is JSON by itself; a broken line further down is then known as such. */
function jsonLines(text: string): readonly string[] | undefined {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return lines.length > 1 && isJson(lines[0] ?? '') ? lines : undefined;
}

/** Takes a text apart into event bodies as they would be posted: one event, an array of events, or one event per line. */
export function splitBodies(text: string): readonly string[] {
  const whole = parseJsonText(text);
  if (!whole.ok) return jsonLines(text) ?? [text];
  return Array.isArray(whole.value) ? whole.value.map((item) => JSON.stringify(item)) : [text];
}
