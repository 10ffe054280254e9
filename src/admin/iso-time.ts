/** Epoch ms → ISO 8601 in UTC; undefined stays so. */
export function isoTime<T extends number | undefined>(ms: T): T extends number ? string : string | undefined {
  return (ms === undefined ? undefined : new Date(ms).toISOString()) as T extends number
    ? string
    : string | undefined;
}
