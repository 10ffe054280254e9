import type { IncomingHttpHeaders } from 'node:http';

/** Header names as they came, without their values: those may be credentials. */
export function headerNames(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 0);
}

/** Makes of Node's flat list what Node makes of it: lower-case names, and values of a repeated name joined. */
export function headersOf(rawHeaders: readonly string[]): IncomingHttpHeaders {
  const values = new Map<string, string[]>();
  for (const [index, name] of rawHeaders.entries()) {
    if (index % 2 === 1) continue;
    const key = name.toLowerCase();
    values.set(key, [...(values.get(key) ?? []), rawHeaders[index + 1] ?? '']);
  }
  return Object.fromEntries([...values].map(([name, all]) => [name, all.join(', ')]));
}
