import { describe, expect, it } from 'vitest';
import type { PlatformAnswer, PlatformClient } from '../../../src/adobe/platform/platform-client.ts';
import { isJsonObject, type JsonObject } from '../../../src/capillary/json.ts';
import { transactionAdded } from '../../fixtures/events.ts';
import {
  LAKE_DELAY_MS,
  MINUTE_MS,
  range,
  type ReconcilerRig,
  startRig,
  WINDOW_MS,
} from './reconciler-rig.ts';

const PAST_DELAYS_MS = WINDOW_MS + LAKE_DELAY_MS;

function largePurchase(customerId: number, now: number): object {
  const lineItems = Array.from({ length: 60 }, (_, place) => ({
    itemCode: `SKU-${place}`,
    description: `a product with a long description ${'x'.repeat(40)}`,
    quantity: 1,
    rate: 10,
    amount: 10,
  }));
  const event = transactionAdded(customerId, { lineItems, billDate: now - 2_000 });
  return { ...event, createdAt: now - 1_000 };
}

/** A client to which Profile shows each profile in another way. */
function withProfiles(client: PlatformClient, change: (found: JsonObject) => JsonObject): PlatformClient {
  return {
    ...client,
    async get(path, options): Promise<PlatformAnswer> {
      const answer = await client.get(path, options);
      const isProfile = path.includes('schema.name=_xdm.context.profile');
      if (!answer.ok || !isProfile || !isJsonObject(answer.body)) return answer;
      const body = Object.fromEntries(
        Object.entries(answer.body).map(([id, found]) => [id, isJsonObject(found) ? change(found) : found]),
      );
      return { ...answer, body };
    },
  };
}

function withName(found: JsonObject, sources: string[]): JsonObject {
  const entity = isJsonObject(found['entity']) ? found['entity'] : {};
  return { ...found, sources, entity: { ...entity, person: { name: { firstName: 'Other' } } } };
}

function datasetsOf({ config }: ReconcilerRig): string[] {
  const { events, profile } = config.destinations[0]!;
  return [events.datasetId, profile!.datasetId];
}

describe('an event that Profile does not have', () => {
  it('is named with its size, although it is in the data lake', async () => {
    const rig = await startRig({ simulator: { profileEventBytes: 8_000 }, reconcile: { readBack: 1e-9 } });
    const [lost] = await rig.send([largePurchase(1, rig.now())]);
    await rig.deliver(range(2, 6));
    const { datasetId } = rig.config.destinations[0]!.events;
    expect(rig.simulator.lake(datasetId)).toHaveLength(5);
    rig.advance(PAST_DELAYS_MS);
    const report = await rig.run();
    expect(report.sums).toMatchObject({ delivered: 5, landed: 4, unconfirmed: 1 });
    expect(report.open).toEqual({ 'not-in-profile': 1 });
    expect(report.differences).toMatchObject([
      { kind: 'not-in-profile', cause: 'near-size-limit', receipt: lost, isOpen: true, count: 1 },
    ]);
    expect(report.differences[0]?.fix).toContain('docs/mapping.md');
    expect(report.state).toBe('differences');
    expect(await rig.journal.watched('main', { until: rig.now(), limit: 10 })).toEqual([]);
  });

  it('is no difference any more when it has come late', async () => {
    const rig = await startRig({ simulator: { profileEventBytes: 500 } });
    await rig.deliver([1]);
    rig.advance(PAST_DELAYS_MS);
    expect((await rig.run()).open).toEqual({ 'not-in-profile': 1 });
    const [event] = rig.simulator.landed({ kind: 'event' });
    const client = rig.client();
    const report = await rig.run({
      client: {
        ...client,
        get: async (path, options) =>
          path.includes('experienceevent')
            ? { ok: true, status: 200, body: { children: [{ entity: { _id: event!.id! } }] } }
            : client.get(path, options),
      },
    });
    expect(report).toMatchObject({ state: 'ok', open: {}, sums: { landed: 1, unconfirmed: 0 } });
  });

  it('is not concluded before twice the delay of Profile', async () => {
    const rig = await startRig({ simulator: { profileEventBytes: 500 } });
    await rig.deliver([1]);
    rig.advance(3 * MINUTE_MS);
    expect(await rig.run()).toMatchObject({ state: 'ok', open: {} });
    expect(await rig.journal.watched('main', { until: rig.now(), limit: 10 })).toHaveLength(1);
    rig.advance(MINUTE_MS);
    expect((await rig.run()).open).toEqual({ 'not-in-profile': 1 });
  });

  it('is not asked for if its dataset is not for Profile, which is said once', async () => {
    const rig = await startRig({ drift: { tags: [] } });
    await rig.deliver(range(1, 3));
    rig.advance(PAST_DELAYS_MS);
    const report = await rig.run();
    expect(report).toMatchObject({
      open: { 'not-in-profile': 2 },
      readBack: { events: 0, profiles: 0 },
      sums: { landed: 2 },
    });
    expect(report.differences.map(({ cause }) => cause)).toEqual(
      Array.from({ length: 2 }, () => 'dataset-not-for-profile'),
    );
    expect(await rig.run()).toEqual(report);
  });

  it('is no loss if it is older than its dataset keeps events there', async () => {
    const rig = await startRig();
    const { datasetId } = rig.config.destinations[0]!.events;
    const dataset = rig.simulator.platform.sandbox('dev')!.datasets.get(datasetId)!;
    dataset.body = {
      ...dataset.body,
      extensions: { adobe_unifiedProfile: { rowExpiration: { ttlValue: 'P30D' } } },
    };
    const old = transactionAdded(1, { billDate: rig.now() - 40 * 86_400_000 });
    await rig.send([{ ...old, createdAt: rig.now() - 1_000 }]);
    rig.advance(PAST_DELAYS_MS);
    const report = await rig.run();
    expect(report).toMatchObject({ state: 'ok', open: {}, sums: { landed: 1, unconfirmed: 0 } });
    expect(report.differences).toMatchObject([{ cause: 'too-old-for-profile', isOpen: false }]);
  });
});

describe('a profile', () => {
  it('that another dataset changes is no loss', async () => {
    const rig = await startRig();
    await rig.run();
    rig.advance(1_000);
    await rig.deliver([1], { firstName: 'Meera' });
    rig.advance(PAST_DELAYS_MS);
    const client = withProfiles(rig.client(), (found) => withName(found, [...datasetsOf(rig), 'crm']));
    const report = await rig.run({ client });
    expect(report).toMatchObject({ state: 'ok', open: {}, sums: { landed: 1, unconfirmed: 0 } });
    expect(report.differences).toMatchObject([
      { kind: 'profile-differs', cause: 'another-writer', isOpen: false },
    ]);
    expect(report.differences[0]?.detail).toContain('person.name.firstName');
    expect(JSON.stringify(report)).not.toMatch(/Meera|Other/);
  });

  it('that differs without another writer is doubted until it is as it was sent', async () => {
    const rig = await startRig();
    await rig.run();
    rig.advance(1_000);
    await rig.deliver([1], { firstName: 'Meera' });
    rig.advance(PAST_DELAYS_MS);
    const client = withProfiles(rig.client(), (found) => withName(found, datasetsOf(rig)));
    const report = await rig.run({ client });
    expect(report.open).toEqual({ 'profile-differs': 1 });
    expect(report.sums).toMatchObject({ landed: 0, unconfirmed: 1 });
    // With another configuration what was sent cannot be made again: nothing new is concluded.
    const [destination] = rig.config.destinations;
    const changed = {
      ...destination!,
      schemaFeatures: { ...destination!.schemaFeatures, placeContext: false },
    };
    expect((await rig.run({ client, destination: changed })).open).toEqual({ 'profile-differs': 1 });
    await rig.run();
    rig.advance(1_000);
    expect(await rig.run()).toMatchObject({ state: 'ok', open: {}, sums: { landed: 1 } });
  });

  it('of a customer whose newer record is on its way is looked at later', async () => {
    const rig = await startRig();
    await rig.run();
    rig.advance(1_000);
    await rig.deliver([1], { firstName: 'Meera' });
    rig.advance(PAST_DELAYS_MS);
    await rig.deliver([1], { firstName: 'Asha' });
    const client = withProfiles(rig.client(), (found) => withName(found, datasetsOf(rig)));
    expect(await rig.run({ client })).toMatchObject({ state: 'ok', open: {} });
    rig.advance(PAST_DELAYS_MS);
    expect(await rig.run()).toMatchObject({ state: 'ok', open: {}, sums: { landed: 2 } });
    expect(await rig.journal.watched('main', { until: rig.now(), limit: 10 })).toEqual([]);
  });
});
