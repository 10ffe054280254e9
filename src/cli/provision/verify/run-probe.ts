import type { DestinationConfig } from '../../../config/config-schema.ts';
import type { TokenSource } from '../../../adobe/ports.ts';
import { readProblem } from '../../../adobe/inlet/response.ts';
import { serializeEnvelope } from '../../../adobe/inlet/inlet-envelope.ts';
import { createInlet } from '../../../adobe/inlet/inlet-client.ts';
import { isAdobeSuccess } from '../../../adobe/inlet/adobe-answer.ts';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Egress } from '../../../http/egress.ts';
import { type Finding, fail } from '../../doctor/finding.ts';
import { formatTime } from '../../time-format.ts';
import type { ProvisionTarget } from '../provision-target.ts';
import { readyAt } from './dataflow-findings.ts';
import { checkName, readFailure } from './platform-reading.ts';
import { type ProbeWatch, type SentProbe, watchProbes } from './probe.ts';
import { type ProbeRecord, probeRecord } from './probe-records.ts';
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

const TIMEOUT_MS = 30_000;

/** Sends one record to the inlet. @returns why it was refused; undefined if it was accepted */
type ProbeSender = (probe: ProbeRecord, flow: DestinationConfig['events']) => Promise<string | undefined>;

/** A sender for the single endpoint of the destination's inlet. */
function createProbeSender(
  destination: DestinationConfig,
  tokens: Pick<TokenSource, 'get'>,
  egress: Egress,
): ProbeSender {
  const { imsOrgId, inletUrl, sandbox, authenticated, format } = destination;
  return async ({ entity }, flow) => {
    const signal = AbortSignal.timeout(2 * TIMEOUT_MS);
    const token = authenticated ? await tokens.get(signal) : undefined;
    if (token?.ok === false) return `${token.code}: ${token.detail}`;
    const inlet = createInlet({ inletUrl, sandbox, connections: 1, egress, requestTimeoutMs: TIMEOUT_MS });
    try {
      const message = serializeEnvelope({ imsOrgId, flow, format }, entity, Date.now());
      const answer = await inlet.sendSingle(flow, message, token?.token, signal);
      if (answer.kind === 'failure') return `${answer.code}: ${answer.detail}`;
      const isAccepted = answer.status < 300 && isAdobeSuccess(answer.body);
      return isAccepted ? undefined : `answered ${answer.status}: ${readProblem(answer.body)}`;
    } finally {
      await inlet.close();
    }
  };
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
