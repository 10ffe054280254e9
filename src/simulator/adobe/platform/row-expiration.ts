import type { JsonObject } from '../../../capillary/json.ts';
import { objectAt, textAt } from './flow-body.ts';

const DAY_MS = 86_400_000;

const UNIT_DAYS: Readonly<Record<string, number>> = { D: 1, W: 7, M: 30, Y: 365 };

/** `P30D`, `P3M` or `P1Y`, in ms; undefined for anything else. */
function periodMs(text: string | undefined): number | undefined {
  const [, count, unit = ''] = /^P(\d+)([DWMY])$/.exec(text ?? '') ?? [];
  const days = UNIT_DAYS[unit];
  return count === undefined || days === undefined ? undefined : Number(count) * days * DAY_MS;
}

/** Where a dataset keeps its events, by the extension that says for how long. */
const PLACES = [
  ['lake', 'adobe_lakeHouse'],
  ['Profile', 'adobe_unifiedProfile'],
] as const;

type Place = (typeof PLACES)[number][0];

/**
 * Where an event is older than its dataset keeps events (docs/platforms/adobe.md#event-times).
 *
 * @param dataset as Catalog shows it
 * @param now epoch ms
 */
export function expiredIn({ timestamp }: JsonObject, dataset: JsonObject, now: number): Place[] {
  if (typeof timestamp !== 'string') return [];
  const age = now - Date.parse(timestamp);
  return PLACES.flatMap(([place, extension]) => {
    const expiration = objectAt(objectAt(objectAt(dataset, 'extensions'), extension), 'rowExpiration');
    const limit = periodMs(textAt(expiration, 'ttlValue'));
    return limit !== undefined && age > limit ? [place] : [];
  });
}
