import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FaultRuleInput } from '../../src/simulator/adobe/fault-script.ts';
import { freshSchema, type TestSchema } from '../helpers/postgres-server.ts';
import { type LandingReplicas, landingReplicas } from './landing/landing-replicas.ts';
import { ODD_OVERRIDE, type Planted, plantLosses } from './landing/planted-losses.ts';
import { namesOf, type Reconciled, readReconciled } from './landing/reconciled.ts';

/** Of several pages of Capillary's log. */
const EVENTS = 400;
const DELAY_MS = 100;
const LOG = '/v3/events';
/** Asked for in each run; its files are read once, perhaps by a run before. */
const BATCHES = '/data/foundation/catalog/batches';
const PROFILE = '/data/core/ups/access/entities';

let schema: TestSchema;
let replicas: LandingReplicas;
let planted: Planted;
/** What the comparisons say when everything was compared. */
let found: Reconciled;

beforeAll(async () => {
  schema = await freshSchema();
  const store = { engine: 'postgres', url: schema.url, schema: schema.schema, connections: 4 };
  replicas = await landingReplicas({ seed: 3, store }, 2);
  const { rig } = replicas;
  Object.assign(rig.config.sources[0]!, { overrides: ODD_OVERRIDE });
  await replicas.restart();
  planted = await plantLosses(rig, EVENTS);
});

afterAll(async () => {
  await replicas?.close();
  await schema?.drop();
});

function rule(path: string, action: FaultRuleInput['then']): FaultRuleInput {
  // oxlint-disable-next-line unicorn/no-thenable -- a key of the rules' format
  return { on: path === LOG ? 'capillary' : 'platform', match: { path }, then: action };
}

/** Its calls are slow, so that a run is in their middle for a while. */
function slow(path: string): FaultRuleInput {
  return rule(path, { delayMs: DELAY_MS });
}

/**
 * Asks one that is not the leader for a comparison, and kills the leader when so many of its calls
 * were seen, by fault.
 * @returns what was answered, which the next leader has found
 */
async function reconcileWithKill(
  faults: readonly FaultRuleInput[],
  calls: readonly number[],
): Promise<Reconciled> {
  const { simulator } = replicas.rig;
  const { leader, other } = await replicas.roles();
  simulator.setFaults(faults);
  const running = replicas.cli(other, 'reconcile', '--json');
  await simulator.until(() => calls.every((count, at) => (simulator.faults()[at]?.seen ?? 0) >= count));
  await replicas.kill(leader);
  simulator.setFaults(faults.filter(({ then: { status } }) => status !== undefined));
  const result = readReconciled(await running);
  expect((await replicas.roles()).leader).not.toBe(leader);
  await replicas.restart();
  return result;
}

/** Compares at one that is not the leader until everything that was delivered by then was. */
async function reconcileAll(
  deliveredBy: number,
  sees: readonly ('seesLakeUntil' | 'seesProfileUntil')[],
): Promise<Reconciled> {
  const { other } = await replicas.roles();
  return replicas.reconcileUntil(other, ({ destination }) =>
    sees.every((key) => Date.parse(destination[key] ?? '') >= deliveredBy),
  );
}

describe('reconciliation by three replicas', () => {
  let deliveredBy = 0;
  const givenUp = (): number => planted.unreachable.length + planted.refused.length;
  const total = (): number => planted.records.length;

  it('goes on when its leader is killed in the middle of both sides, and takes nothing twice', async () => {
    const noProfile = rule(PROFILE, { status: 403 });
    const { source } = await reconcileWithKill([slow(LOG), slow(BATCHES), noProfile], [3, 1]);
    expect(source.problem).toBeUndefined();
    expect(source.sums).toEqual({
      sent: total(),
      accepted: total() - givenUp(),
      recovered: givenUp(),
      unrecoverable: 0,
      missing: 0,
    });
    expect(namesOf(source.differences)).toEqual({
      'given-up relay-unreachable': planted.unreachable.toSorted(),
      'given-up relay-refused': planted.refused.toSorted(),
      'answer-lost answer-lost': planted.answerLost.toSorted(),
    });
    const { other } = await replicas.roles();
    expect((await replicas.ledger(other)).accepted).toBe(total());
    await replicas.rig.settled();
    deliveredBy = Date.now();
  });

  it('goes on when its leader is killed while it reads Profile, and names each loss once', async () => {
    await reconcileAll(deliveredBy, ['seesLakeUntil']);
    await reconcileWithKill([slow(PROFILE)], [2]);
    found = await reconcileAll(deliveredBy, ['seesLakeUntil', 'seesProfileUntil']);
    const { refusedLater, tooLarge, young } = planted;
    expect(found.destination.open).toEqual({
      'refused-later': refusedLater.length,
      'not-in-profile': tooLarge.length,
      'not-in-aep': young.length,
    });
    expect(namesOf(found.destination.differences)).toMatchObject({
      'not-in-profile near-size-limit': tooLarge.toSorted(),
      'not-in-aep flow-too-young': young.toSorted(),
    });
    const unconfirmed = tooLarge.length + young.length;
    expect(found.destination.sums).toEqual({
      delivered: total(),
      landed: total() - refusedLater.length - unconfirmed,
      refusedLater: refusedLater.length,
      unconfirmed,
    });
  });

  it('gives the same answer whichever replica is asked', async () => {
    const all = replicas.running();
    expect(all).toHaveLength(3);
    for (const path of ['/admin/v1/reconciliation', '/admin/v1/ledger']) {
      const answers = await Promise.all(all.map(async (relay) => (await relay.admin(path)).body));
      expect([path, ...answers]).toEqual([path, answers[0], answers[0], answers[0]]);
    }
    const texts = await Promise.all(all.map((relay) => replicas.cli(relay, 'ledger')));
    expect(new Set(texts.map(({ stdout }) => stdout)).size).toBe(1);
  });

  it('finds nothing new again', async () => {
    const { other } = await replicas.roles();
    const again = await replicas.reconcileUntil(other, () => true);
    expect([again.source.sums, again.destination.sums]).toEqual([found.source.sums, found.destination.sums]);
    expect(namesOf(again.source.differences)).toEqual(namesOf(found.source.differences));
    expect(namesOf(again.destination.differences)).toEqual(namesOf(found.destination.differences));
    expect((await replicas.ledger(other)).accepted).toBe(total());
  });
});
