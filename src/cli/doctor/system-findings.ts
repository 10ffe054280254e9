import { totalmem } from 'node:os';
import { MAX_IN_FLIGHT_BYTES } from '../../delivery/claim-limits.ts';
import { CACHE_KIB } from '../../journal/sqlite/offline/stopped-store.ts';
import { type Finding, fail, formatBytes, ok, warn } from './finding.ts';

/** Memory of Node with both threads busy, in a container with a limit (bench/NOTES.md). */
const BASE_BYTES = 224 * 1_048_576;

const WARN_OPEN_FILES = 1_024;
const FAIL_OPEN_FILES = 256;

function nodeFinding(): Finding {
  const { version, release } = process;
  return release.lts === undefined
    ? warn('node', `${version} is not an LTS release`, 'use an LTS version: 24 or a later even number')
    : ok('node', `${version} (${release.lts})`);
}

/** Checks the limit of open files: webhooks, requests to Adobe and the store all use some. */
export function openFilesFinding(limit: number | undefined): Finding {
  const check = 'open files';
  const fix =
    'raise it to 65536: LimitNOFILE=65536 (systemd), --ulimit nofile=65536 (container) or ulimit -n 65536 (shell)';
  if (limit === undefined) return ok(check, 'no limit found');
  if (limit < FAIL_OPEN_FILES) return fail(check, `at most ${limit}`, fix);
  return limit < WARN_OPEN_FILES ? warn(check, `at most ${limit}`, fix) : ok(check, `at most ${limit}`);
}

function openFileLimit(): number | undefined {
  // Resolving the names of open connections would take time.
  Object.assign(process.report, { excludeNetwork: true });
  const { userLimits } = process.report.getReport() as {
    userLimits?: { open_files?: { soft?: number | string } };
  };
  const soft = Number(userLimits?.open_files?.soft);
  return Number.isFinite(soft) ? soft : undefined;
}

/** Offset of a zone at a time, such as `GMT+05:30`. @throws RangeError for an unknown zone */
function offsetOf(timeZone: string, at: number): string {
  return (
    new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
      .formatToParts(at)
      .find(({ type }) => type === 'timeZoneName')?.value ?? ''
  );
}

function isKnownZone(zone: string): boolean {
  try {
    return offsetOf(zone, 0) !== '';
  } catch {
    return false;
  }
}

/** Tests two offsets that Node gets wrong without time zone data. */
function hasZoneData(): boolean {
  return (
    isKnownZone('Asia/Kolkata') &&
    offsetOf('Asia/Kolkata', Date.UTC(2026, 0, 1)) === 'GMT+05:30' &&
    offsetOf('America/New_York', Date.UTC(2026, 6, 1)) === 'GMT-04:00'
  );
}

function timeZoneFinding(zones: readonly string[], now: Date): Finding {
  const check = 'time zones';
  const release = process.versions['tz'] ?? 'unknown';
  const missing = zones.filter((zone) => !isKnownZone(zone));
  const fix = 'use a Node with full ICU data, such as the builds and images of nodejs.org';
  if (!hasZoneData()) return fail(check, 'this Node has no time zone data', fix);
  if (missing.length > 0) return fail(check, `release ${release} does not know ${missing.join(', ')}`, fix);
  if (Number.parseInt(release, 10) < now.getUTCFullYear() - 1)
    return warn(check, `release ${release} is old`, 'use the newest release of this Node version');
  return ok(check, `release ${release}${zones.length === 0 ? '' : ` knows ${zones.join(', ')}`}`);
}

/** Compares the memory limit (bytes) with the needs of so many destinations. */
export function memoryFinding(limit: number, destinations: number): Finding {
  const need = BASE_BYTES + CACHE_KIB * 1_024 + destinations * MAX_IN_FLIGHT_BYTES;
  const detail = `${formatBytes(limit)}; ${formatBytes(need)} are needed for ${destinations} ${destinations === 1 ? 'destination' : 'destinations'} under load`;
  const fix = `set the memory limit of the container to ${formatBytes(2 * need)}, which leaves room for large payloads`;
  if (limit < need / 2) return fail('memory', detail, fix);
  return limit < need ? warn('memory', detail, fix) : ok('memory', detail);
}

/** Bytes that this process may use: the limit of its cgroup, or the memory of the machine. */
function memoryLimit(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/** Checks the process and the machine. @param zones time zones of the sources */
export function systemFindings(zones: readonly string[], destinations: number): Finding[] {
  return [
    nodeFinding(),
    openFilesFinding(openFileLimit()),
    timeZoneFinding(zones, new Date()),
    memoryFinding(memoryLimit(), destinations),
  ];
}
