// Times in answers are in the time zone of the cluster (docs/platforms/capillary.md#read-times).

/** The time zone of a cluster as an offset: `+05:30`, or `Z`. */
export type ServerZone = string;

const MINUTE_MS = 60_000;

function offsetMs(zone: ServerZone): number {
  if (zone === 'Z') return 0;
  const [hours = '0', minutes = '0'] = zone.slice(1).split(':');
  return (zone.startsWith('-') ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
}

function local(at: number, zone: ServerZone): string {
  return new Date(at + offsetMs(zone)).toISOString();
}

/** With the offset: the form of v2 and of the fields that end with `ISO`. */
export function isoTime(at: number, zone: ServerZone): string {
  return `${local(at, zone).slice(0, 19)}${zone}`;
}

/** `YYYY-MM-DD HH:mm:ss` without a zone: the form of v1.1 and of older fields of v2. */
export function legacyTime(at: number, zone: ServerZone): string {
  return local(at, zone).slice(0, 19).replace('T', ' ');
}

/** `YYYY-MM-DD`. */
export function serverDay(at: number, zone: ServerZone): string {
  return local(at, zone).slice(0, 10);
}

/** The local time with the label of UTC: the known defect of `changedOn`. */
export function mislabelledTime(at: number, zone: ServerZone): string {
  return `${local(at, zone).slice(0, 19)}Z`;
}

/** Parses `YYYY-MM-DD` or `YYYY-MM-DD HH:mm:ss` in the zone; NaN if it is neither. */
export function parseServerTime(text: string, zone: ServerZone, isEnd = false): number {
  const [day = '', time = isEnd ? '23:59:59' : '00:00:00'] = text.trim().split(/[ T]/);
  return Date.parse(`${day}T${time}Z`) - offsetMs(zone);
}
