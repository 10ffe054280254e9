import { listBatches } from '../../../adobe/platform/batches.ts';
import {
  type FailedRecord,
  listFailedFiles,
  readFailedRecords,
} from '../../../adobe/platform/failed-records.ts';
import type { PlatformClient } from '../../../adobe/platform/platform-client.ts';
import { describePlatformError } from '../../../adobe/platform/platform-error.ts';
import { readEvents, readProfile } from '../../../adobe/platform/profile-access.ts';
import type { DestinationConfig } from '../../../config/config-schema.ts';
import { type Finding, fail, ok, warn } from '../../doctor/finding.ts';
import { formatDuration } from '../../time-format.ts';
import { reasonText } from '../../../adobe/platform/record-error-text.ts';
import { checkName } from './platform-reading.ts';
import { type ProbeRecord, probeIdentity } from './probe-records.ts';

/** Clocks differ, and a batch begins before the records that it gets last. */
const CLOCK_TOLERANCE_MS = 5_000;
const LONGEST_BATCH_MS = 3_600_000;
const POLL_MS = 5_000;

/** A probe that the inlet has accepted. */
export interface SentProbe extends ProbeRecord {
  readonly datasetId: string;
  /** Epoch ms. */
  readonly sentAt: number;
}

export interface ProbeWatch {
  readonly client: PlatformClient;
  readonly destination: DestinationConfig;
  /** How long to wait for the record, in ms. */
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
  /** Called before each wait. */
  readonly onWait?: (probe: SentProbe, waitedMs: number) => void;
}

/** What has become of a probe. */
interface Fate {
  /** A batch of its dataset has landed since: in a quiet dataset, the one with the probe. */
  readonly batch?: string;
  readonly isInProfile?: boolean;
  /** The failed batch that has it, and why. */
  readonly failed?: { readonly batch: string; readonly reasons: readonly string[] };
  /** What could not be read. */
  readonly unread: readonly string[];
}

function isProbe({ body }: FailedRecord, { id }: SentProbe): boolean {
  // Files hold the whole message, or the record alone.
  return JSON.stringify(body).includes(JSON.stringify(id));
}

async function reasonsIn(
  client: PlatformClient,
  batchId: string,
  probe: SentProbe,
): Promise<string[] | undefined> {
  const files = await listFailedFiles(client, batchId);
  if (!files.ok) return undefined;
  for (const { name } of files.value) {
    const records = await readFailedRecords(client, batchId, name);
    const found = records.ok ? records.value.find((record) => isProbe(record, probe)) : undefined;
    if (found !== undefined) return found.errors.map(reasonText);
  }
  return undefined;
}

async function batchFate({ client }: ProbeWatch, probe: SentProbe): Promise<Fate> {
  const { datasetId, sentAt } = probe;
  const list = await listBatches(client, { datasetId, createdAfter: sentAt - LONGEST_BATCH_MS });
  if (!list.ok) return { unread: [describePlatformError(list.error)] };
  const since = list.value.batches.filter(
    ({ completedAt, createdAt }) => (completedAt ?? createdAt) >= sentAt - CLOCK_TOLERANCE_MS,
  );
  for (const { id, status } of since) {
    const reasons = status === 'failed' ? await reasonsIn(client, id, probe) : undefined;
    if (reasons !== undefined) return { failed: { batch: id, reasons }, unread: [] };
  }
  const landed = since.find(({ status }) => status === 'success');
  return { ...(landed === undefined ? {} : { batch: landed.id }), unread: [] };
}

async function profileFate({ client, destination }: ProbeWatch, probe: SentProbe): Promise<Fate> {
  const identity = probeIdentity(destination);
  if (probe.record === 'event') {
    const events = await readEvents(client, identity, { from: probe.sentAt - LONGEST_BATCH_MS });
    if (!events.ok) return { unread: [describePlatformError(events.error)] };
    return { isInProfile: events.value.some(({ id }) => id === probe.id), unread: [] };
  }
  const profile = await readProfile(client, identity);
  if (!profile.ok) return { unread: [describePlatformError(profile.error)] };
  const modifiedAt = profile.value?.modifiedAt ?? 0;
  return { isInProfile: modifiedAt >= probe.sentAt - CLOCK_TOLERANCE_MS, unread: [] };
}

async function fateOf(watch: ProbeWatch, probe: SentProbe): Promise<Fate> {
  const [batch, profile] = await Promise.all([batchFate(watch, probe), profileFate(watch, probe)]);
  return { ...profile, ...batch, unread: [...batch.unread, ...profile.unread] };
}

function failedFinding(check: string, { batch, reasons }: NonNullable<Fate['failed']>): Finding {
  return fail(
    check,
    `the inlet accepted the probe, and then the batch ${batch} failed with it: ${reasons.join('; ') || 'without a reason'}`,
    'correct the schema as the other findings say; docs/platforms/adobe.md, Validation codes',
  );
}

/** Reading Profile needs a licence of its own (docs/platforms/adobe.md#profile-access). */
function landedFinding(check: string, { batch, isInProfile, unread }: Fate, waited: string): Finding {
  const lake = `in the data lake (batch ${batch})`;
  return isInProfile === true
    ? ok(check, `${lake} and in Profile after ${waited}`)
    : ok(check, `${lake} after ${waited}; Profile could not be read: ${unread.join('; ')}`);
}

function waitedFinding(check: string, fate: Fate, waited: string): Finding {
  const unread = fate.unread.length === 0 ? '' : `; could not be read: ${fate.unread.join('; ')}`;
  if (fate.batch !== undefined)
    return warn(
      check,
      `a batch of the dataset has landed (${fate.batch}), but Profile does not show the probe after ${waited}${unread}`,
      'Profile can take 15 minutes: look the identity up in AEP under Profiles, or run the command again with a longer --timeout',
    );
  if (fate.isInProfile === true)
    return ok(check, `in Profile; the data lake, which can take 60 minutes, has no batch of it yet${unread}`);
  return fail(
    check,
    `the inlet accepted the probe, and ${waited} later it is neither in Profile nor in a batch, nor in a failed one${unread}`,
    'compare the dataflow with the configuration; on a busy sandbox run the command again with a longer --timeout',
  );
}

/** Waits until a probe has arrived or failed, within the time limit. */
async function probeFinding(watch: ProbeWatch, probe: SentProbe): Promise<Finding> {
  const { now, timeoutMs, destination } = watch;
  const check = checkName(`${probe.record} probe`, destination.name);
  for (;;) {
    const fate = await fateOf(watch, probe);
    const waited = now() - probe.sentAt;
    if (fate.failed !== undefined) return failedFinding(check, fate.failed);
    if (fate.batch !== undefined && fate.isInProfile !== false)
      return landedFinding(check, fate, formatDuration(waited));
    if (waited >= timeoutMs) return waitedFinding(check, fate, formatDuration(waited));
    watch.onWait?.(probe, waited);
    await watch.wait(Math.min(POLL_MS, timeoutMs - waited));
  }
}

/** What has become of each probe, and what stays in the sandbox. */
export async function watchProbes(watch: ProbeWatch, probes: readonly SentProbe[]): Promise<Finding[]> {
  const found = await Promise.all(probes.map((probe) => probeFinding(watch, probe)));
  const { namespace, id } = probeIdentity(watch.destination);
  const datasets = probes.map(({ record, datasetId }) => `${record} in the dataset ${datasetId}`).join(', ');
  const remains = ok(
    checkName('probe', watch.destination.name),
    `stays in the sandbox: one ${datasets}, of the identity ${namespace}: ${id}, which all probes share`,
  );
  return [...found, remains];
}
