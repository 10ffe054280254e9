/** Bytes of a call beside its payloads. */
const BASE = 512;

function bytesOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (value instanceof Uint8Array) return value.byteLength;
  if (typeof value !== 'object' || value === null) return 8;
  return Object.values(value).reduce<number>((sum, part) => sum + bytesOf(part), 8);
}

/** About how many bytes a request takes on its way to the worker. */
export function weightOf(request: unknown): number {
  return BASE + bytesOf(request);
}
