import type { DestinationConfig } from '../../config/schema.ts';
import { checkConnection } from '../connection-check.ts';
import { formatSpan } from '../moment.ts';
import { type Dates, watchDates } from './dates.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** ms of skew. Tokens live for a day, but events of the future are refused and signed times are judged by minutes. */
const SKEW_WARN = 5_000;
const SKEW_FAIL = 60_000;

const CLOCK = 'let chrony or systemd-timesyncd set the clock of this machine (in a container: of its host)';

function clock(origin: string, ahead: number): Finding {
  const check = `clock/${new URL(origin).host}`;
  const off = Math.abs(ahead);
  const detail = `${formatSpan(off)} ${ahead < 0 ? 'behind' : 'ahead of'} its Date header`;
  // Below a second it is the rounding of the header.
  if (off <= SKEW_WARN) return ok(check, off < 1_000 ? 'within a second of its Date header' : detail);
  return off > SKEW_FAIL ? fail(check, detail, CLOCK) : warn(check, detail, CLOCK);
}

function clocks({ ahead }: Dates): Finding[] {
  return ahead.size === 0
    ? [
        warn(
          'clock',
          'no server has answered, so there is nothing to compare it with',
          'mend the connection, then try again',
        ),
      ]
    : [...ahead].map(([origin, ms]) => clock(origin, ms));
}

async function connections(destination: DestinationConfig): Promise<Finding[]> {
  const checks = await checkConnection(destination, { ask: true });
  return checks.map(({ check, ok: isOk, passing, detail, cure = '' }) => {
    const name = `${check}/${destination.name}`;
    if (isOk) return ok(name, detail);
    return (passing === true ? warn : fail)(name, detail, cure);
  });
}

/** What each destination says, and how far the clock here is from theirs. No event is sent. */
export async function networkFindings(destinations: readonly DestinationConfig[]): Promise<Finding[]> {
  const dates = watchDates();
  try {
    const found = await Promise.all(destinations.map(connections));
    return [...found.flat(), ...clocks(dates)];
  } finally {
    dates.stop();
  }
}
