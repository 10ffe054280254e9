const DAY = 86_400_000;

/**
 * The instant at which the clocks of a zone show `wall` (given as if it were UTC). A wall time that occurs
 * twice when the clocks go back gives the asked one; a time they skip gives the instant that the offset
 * before the jump makes of it.
 */
export function toUtc(wall: number, timezone: string, prefer: 'earlier' | 'later'): number {
  const offsetAt = zoneOf(timezone);
  const before = offsetAt(wall - DAY);
  const after = offsetAt(wall + DAY);
  const possible = [wall - before, wall - after].filter((at) => at + offsetAt(at) === wall);
  if (possible.length === 0) {
    return wall - before;
  }
  return prefer === 'earlier' ? Math.min(...possible) : Math.max(...possible);
}

/** Milliseconds that a zone's wall clock is ahead of UTC at an instant. */
type Zone = (at: number) => number;

/** The zones are the few of the configuration. */
const zones = new Map<string, Zone>();

function zoneOf(timezone: string): Zone {
  const zone = zones.get(timezone) ?? createZone(timezone);
  zones.set(timezone, zone);
  return zone;
}

/** Days of which the offset at their beginning is kept. */
const MAX_DAYS = 5_000;

/** To ask the engine is dear, so it is asked once a day, and more often only within a day on which the clocks change: no zone changes them twice. */
function createZone(timezone: string): Zone {
  const shownAt = createClock(timezone);
  const known = new Map<number, number>();
  const atStartOf = (day: number): number => {
    const offset = known.get(day) ?? shownAt(day * DAY) - day * DAY;
    if (known.size === MAX_DAYS) {
      known.clear();
    }
    known.set(day, offset);
    return offset;
  };
  return (at) => {
    const day = Math.floor(at / DAY);
    const offset = atStartOf(day);
    return offset === atStartOf(day + 1) ? offset : shownAt(at) - Math.floor(at / 1_000) * 1_000;
  };
}

/** What the clocks of a zone show at an instant, in whole seconds, given as if it were UTC. Making one costs a thousand times more than using it. */
function createClock(timezone: string): (at: number) => number {
  const formatter = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (at) => {
    const parts = new Map(formatter.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
    return Date.UTC(
      part('year'),
      part('month') - 1,
      part('day'),
      part('hour'),
      part('minute'),
      part('second'),
    );
  };
}
