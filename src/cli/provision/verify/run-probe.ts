import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Egress } from '../../../http/egress.ts';
import { type Finding, fail } from '../../doctor/finding.ts';
import { formatTime } from '../../time-format.ts';
import type { ProvisionTarget } from '../provision-target.ts';
import { readyAt } from './dataflow-findings.ts';
import { checkName, readFailure } from './platform-reading.ts';
import { type ProbeWatch, type SentProbe, watchProbes } from './probe.ts';
import { probeRecord } from './probe-records.ts';
import { createProbeSender, type ProbeSender } from './send-probe.ts';
import { flowsOf, readDataflow, type VerifyClock } from './verify-destination.ts';

export interface ProbeOptions {
  readonly egress: Egress;
  /** How long to wait for the records, in ms. */
  readonly timeoutMs: number;
  readonly clock: VerifyClock;
  readonly onWait?: ProbeWatch['onWait'];
  /** Waits before another look. */
  readonly wait?: ProbeWatch['wait'];
}

async function pause(ms: number): Promise<void> {
  await sleep(ms);
}

/** Why no probe may be sent; undefined if one may. */
async function obstacle(
  { destination, missing, client }: ProvisionTarget,
  { now, settleMs }: VerifyClock,
): Promise<Finding | undefined> {
  const check = checkName('probe', destination.name);
  if (destination.format === 'raw')
    return fail(
      check,
      'no probe was sent: with format: raw the mapping set in AEP decides what becomes of a record',
      'send an event of a test customer through Capillary instead',
    );
  const keys = [...missing].filter((key) => key !== 'tenant');
  if (keys.length > 0)
    return fail(
      check,
      `no probe was sent: ${keys.join(', ')} missing`,
      'run capillary-relay provision apply',
    );
  for (const { ids } of flowsOf(destination)) {
    const read = await readDataflow(client, ids.flowId);
    if (!read.ok) return readFailure('probe', destination.name, read.error);
    const { flow } = read.value;
    if (flow?.state === 'disabled' || flow === undefined)
      return fail(
        check,
        `no probe was sent: the dataflow ${ids.flowId} ${flow === undefined ? 'does not exist' : 'is disabled'}`,
        'correct what the other findings say, then run the command again',
      );
    const ready = readyAt(flow, settleMs, client.clockAheadMs());
    if (ready > now) {
      const time = formatTime(new Date(ready).toISOString());
      return fail(
        check,
        `no probe was sent: the dataflow ${flow.name} is too young, and its first records can be dropped silently`,
        `run the command again after ${time}`,
      );
    }
  }
  return undefined;
}

async function sendAll(
  { destination }: ProvisionTarget,
  send: ProbeSender,
): Promise<{ readonly sent: readonly SentProbe[]; readonly refused: readonly Finding[] }> {
  const sent: SentProbe[] = [];
  const refused: Finding[] = [];
  for (const { record, ids } of flowsOf(destination)) {
    const sentAt = Date.now();
    const probe = probeRecord(record, destination, `relay-probe-${randomUUID()}`, sentAt);
    const reason = await send(probe, ids);
    if (reason === undefined) sent.push({ ...probe, datasetId: ids.datasetId, sentAt });
    else
      refused.push(
        fail(
          checkName(`${record} probe`, destination.name),
          `the inlet did not accept the probe: ${reason}`,
          'correct what the other findings say, then run the command again',
        ),
      );
  }
  return { sent, refused };
}

/**
 * Sends one record that carries nobody's data to each dataflow of a destination, and follows it
 * into the sandbox. Not to a dataflow that may drop it.
 */
export async function probeDestination(target: ProvisionTarget, options: ProbeOptions): Promise<Finding[]> {
  const { egress, timeoutMs, clock, onWait, wait = pause } = options;
  const found = await obstacle(target, clock);
  if (found !== undefined) return [found];
  const { destination, client, tokens } = target;
  const { sent, refused } = await sendAll(target, createProbeSender(destination, tokens, egress));
  if (sent.length === 0) return [...refused];
  const watch: ProbeWatch = {
    client,
    destination,
    timeoutMs,
    now: Date.now,
    wait,
    ...(onWait === undefined ? {} : { onWait }),
  };
  return [...refused, ...(await watchProbes(watch, sent))];
}
