type Units = Readonly<Record<string, number>>;

/** Units of durations, in ms. */
export const DURATION_UNITS: Units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Units of sizes, in bytes. */
export const SIZE_UNITS: Units = {
  B: 1,
  KB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
};

/** `5m` → 300000; NaN if it is no number with one of these units. */
export function parseQuantity(text: string, units: Units): number {
  const [, number = '', , unit = ''] = /^(\d+(\.\d+)?)\s*(\w+)$/.exec(text) ?? [];
  return Math.round(Number(number) * (units[unit] ?? Number.NaN));
}

/** 5400000 → `90m`: the shortest text that `parseQuantity` turns into the same number. */
export function formatQuantity(value: number, units: Units): string {
  const written = Object.entries(units)
    .filter(([, unit]) => value % unit === 0)
    .map(([name, unit]) => ({ name, count: value / unit }))
    .toSorted((a, b) => a.count - b.count);
  const [shortest] = written;
  return `${shortest?.count ?? value}${shortest?.name ?? ''}`;
}
