import { totalmem } from 'node:os';
import { IN_FLIGHT_BYTES } from '../../delivery/claim-limits.ts';
import { CACHE_KIB } from '../../journal/sqlite/database.ts';
import { type Finding, fail, formatBytes, ok, warn } from './finding.ts';

/** Node with both threads at work, in a container that bounds it (bench/NOTES.md). */
const BASE_BYTES = 224 * 1_048_576;

const FEW_FILES = 1_024;
const TOO_FEW_FILES = 256;

function node(): Finding {
  const { version, release } = process;
  return release.lts === undefined
    ? warn('node', `${version} is not a long-term release`, 'take a version with an even number, 24 or later')
    : ok('node', `${version} (${release.lts})`);
}

/** What a limit of open files means. Each webhook, each request to Adobe and the store take some. */
export function openFilesFinding(limit: number | undefined): Finding {
  const check = 'open files';
  const cure = 'raise it: ulimit -n 65536, LimitNOFILE= of systemd, or --ulimit nofile of the container';
  if (limit === undefined) return ok(check, 'no limit is known');
  if (limit < TOO_FEW_FILES) return fail(check, `at most ${limit}`, cure);
  return limit < FEW_FILES ? warn(check, `at most ${limit}`, cure) : ok(check, `at most ${limit}`);
}

function openFileLimit(): number | undefined {
  // Names of the machine's connections are not wanted, and looking them up takes time.
  Object.assign(process.report, { excludeNetwork: true });
  const { userLimits } = process.report.getReport() as {
    userLimits?: { open_files?: { soft?: number | string } };
  };
  const soft = Number(userLimits?.open_files?.soft);
  return Number.isFinite(soft) ? soft : undefined;
}

/** Offset of a zone at an instant, such as `GMT+05:30`. @throws RangeError when the zone is not known */
function offsetOf(timeZone: string, at: number): string {
  return (
    new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
      .formatToParts(at)
      .find(({ type }) => type === 'timeZoneName')?.value ?? ''
  );
}

function zoneIsKnown(zone: string): boolean {
  try {
    return offsetOf(zone, 0) !== '';
  } catch {
    return false;
  }
}

/** Two facts that a Node without its data gets wrong. */
function hasZones(): boolean {
  return (
    zoneIsKnown('Asia/Kolkata') &&
    offsetOf('Asia/Kolkata', Date.UTC(2026, 0, 1)) === 'GMT+05:30' &&
    offsetOf('America/New_York', Date.UTC(2026, 6, 1)) === 'GMT-04:00'
  );
}

function timeZones(zones: readonly string[], now: Date): Finding {
  const check = 'time zones';
  const release = process.versions['tz'] ?? 'unknown';
  const missing = zones.filter((zone) => !zoneIsKnown(zone));
  const cure = 'take a Node with full ICU data, as nodejs.org and its images have it';
  if (!hasZones()) return fail(check, 'this Node has no time zone data', cure);
  if (missing.length > 0) return fail(check, `release ${release} does not know ${missing.join(', ')}`, cure);
  if (Number.parseInt(release, 10) < now.getUTCFullYear() - 1)
    return warn(check, `release ${release} is old`, 'take the newest Node of its line');
  return ok(check, `release ${release}${zones.length === 0 ? '' : ` knows ${zones.join(', ')}`}`);
}

/** Memory against what the relay takes with so many destinations. @param limit bytes that it may have */
export function memoryFinding(limit: number, destinations: number): Finding {
  const need = BASE_BYTES + CACHE_KIB * 1_024 + destinations * IN_FLIGHT_BYTES;
  const detail = `${formatBytes(limit)}; ${formatBytes(need)} are needed for ${destinations} ${destinations === 1 ? 'destination' : 'destinations'} under load`;
  const cure = `set the memory limit of the container to ${formatBytes(2 * need)}, which leaves room for large payloads`;
  if (limit < need / 2) return fail('memory', detail, cure);
  return limit < need ? warn('memory', detail, cure) : ok('memory', detail);
}

/** Bytes that this process may have: the limit of its cgroup, or what the machine has. */
function memoryLimit(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/** What the process and the machine give. @param zones time zones of the sources */
export function systemFindings(zones: readonly string[], destinations: number): Finding[] {
  return [
    node(),
    openFilesFinding(openFileLimit()),
    timeZones(zones, new Date()),
    memoryFinding(memoryLimit(), destinations),
  ];
}
