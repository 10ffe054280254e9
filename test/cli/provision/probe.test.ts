import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/cli/doctor/finding.ts';
import { PROBE_EVENT_TYPE, probeRecord } from '../../../src/cli/provision/verify/probe-records.ts';
import { type ProbeOptions, probeDestination } from '../../../src/cli/provision/verify/run-probe.ts';
import { DIRECT_EGRESS } from '../../../src/http/egress.ts';
import { problems, setUpByHand, tokensOf, type VerifyRig } from './verify-rig.ts';

const LATER_MS = 600_000;

/** Sends the probes of a destination, and looks every 20 ms. */
async function probe(
  { destination, client, simulator }: VerifyRig,
  options: Partial<ProbeOptions> = {},
): Promise<Finding[]> {
  const target = {
    destination,
    index: 0,
    missing: new Set<never>(),
    client,
    tokens: await tokensOf(simulator, 'client-1'),
    close: async () => undefined,
  };
  return probeDestination(target, {
    egress: DIRECT_EGRESS,
    timeoutMs: 5_000,
    clock: { now: Date.now() + LATER_MS, settleMs: 300_000 },
    wait: () => sleep(20),
    ...options,
  });
}

describe('verify --probe', () => {
  it('follows an event and a profile record into the data lake and Profile, and says what stays', async () => {
    const rig = await setUpByHand();
    const findings = await probe(rig);
    expect(problems(findings)).toEqual([]);
    expect(findings.map(({ check, detail }) => `${check} ${detail}`)).toEqual([
      expect.stringMatching(/^event probe\/main in the data lake \(batch \w+\) and in Profile after/),
      expect.stringMatching(/^profile probe\/main in the data lake \(batch \w+\) and in Profile after/),
      `probe/main stays in the sandbox: one event in the dataset ${rig.destination.events.datasetId}, profile in the dataset ${rig.destination.profile?.datasetId}, of the identity capillaryId: capillary-aep-relay-probe, which all probes share`,
    ]);
    const landed = rig.simulator.landed();
    expect(landed).toHaveLength(2);
    expect(JSON.stringify(landed)).toContain(PROBE_EVENT_TYPE);
  });

  it('says which failed batch has it, and why', async () => {
    const rig = await setUpByHand({ tenantGroup: () => undefined });
    const found = problems(await probe(rig));
    expect(found).toEqual([
      expect.stringMatching(
        /^fail event probe\/main the inlet accepted the probe, and then the batch \w+ failed with it: .*_acme/,
      ),
    ]);
  });

  it('is refused while a dataflow is too young', async () => {
    const rig = await setUpByHand();
    const found = await probe(rig, { clock: { now: Date.now(), settleMs: 300_000 } });
    expect(found).toMatchObject([
      {
        check: 'probe/main',
        level: 'fail',
        detail: expect.stringContaining('no probe was sent: the dataflow Loyalty events is too young'),
        fix: expect.stringMatching(/^run the command again after \d{4}-/),
      },
    ]);
    expect(rig.simulator.landed()).toEqual([]);
  });

  it('ends at its time limit when the record has vanished', async () => {
    const rig = await setUpByHand({ simulator: { ...SIMULATOR, warmUpMs: 3_600_000 } });
    const found = problems(await probe(rig, { timeoutMs: 100 }));
    expect(found).toEqual([
      expect.stringContaining('fail event probe/main the inlet accepted the probe, and'),
      expect.stringContaining('it is neither in Profile nor in a batch, nor in a failed one'),
    ]);
  });

  it('goes by the batches where Profile cannot be read', async () => {
    const rig = await setUpByHand();
    rig.simulator.setFaults([
      { on: 'platform', match: { path: '/data/core/ups' }, times: 1_000, then: { status: 403 } },
    ]);
    const found = await probe(rig);
    expect(problems(found)).toEqual([]);
    expect(found[0]?.detail).toMatch(
      /^in the data lake \(batch \w+\) after .*; Profile could not be read: GET/,
    );
  });

  it('says that the inlet refuses it', async () => {
    const rig = await setUpByHand();
    const destination = { ...rig.destination, authenticated: false };
    const found = problems(await probe({ ...rig, destination }));
    expect(found).toEqual([
      expect.stringMatching(/^fail event probe\/main the inlet did not accept the probe: answered 401/),
      expect.stringMatching(/^fail profile probe\/main the inlet did not accept the probe: answered 401/),
    ]);
  });
});

const SIMULATOR = { platform: { tenantId: 'acme', sandboxes: ['dev'] }, validationDelayMs: 0 };

it.each([
  ['customerId', 'capillaryId', 'capillary-aep-relay-probe'],
  ['email', 'Email', 'capillary-aep-relay-probe@example.com'],
  ['phone', 'Phone', '+12025550142'],
] as const)('a probe has a reserved identity: %s', (primary, namespace, value) => {
  const namespaces = { customerId: 'capillaryId', email: 'Email', phone: 'Phone' };
  const identity = { primary, namespaces, linkMerged: true };
  const { entity } = probeRecord('event', { identity, tenant: '_acme' }, 'relay-probe-1', 0);
  expect(entity).toEqual({
    _id: 'relay-probe-1',
    timestamp: '1970-01-01T00:00:00.000Z',
    eventType: PROBE_EVENT_TYPE,
    _acme: { capillary: { event: { name: 'relayProbe', id: 'relay-probe-1' } } },
    identityMap: { [namespace]: [{ id: value, authenticatedState: 'ambiguous', primary: true }] },
  });
});
