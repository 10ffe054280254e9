import { expect, onTestFinished, test } from 'vitest';
import { configSchema } from '../../src/config/config-schema.ts';
import type { SourceConfig } from '../../src/config/source-config.ts';
import { createEnrichers, type EnrichersParts } from '../../src/enrichment/enrichers.ts';
import { DIRECT_EGRESS } from '../../src/http/egress.ts';
import { relayConfig } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';
import { withCapillary } from '../simulator/capillary/api/capillary-caller.ts';
import { anEvent } from './enrich-rig.ts';

const CLIENT = { key: 'northKey', secret: 'northSecret' };

async function start(more: Partial<EnrichersParts> = {}) {
  const { simulator } = await withCapillary({ clients: [CLIENT], world: { customers: 3 } });
  const plain = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
  const sourceWith = (changed: Record<string, unknown> = {}): SourceConfig => {
    const api = { url: simulator.capillaryUrl, ...CLIENT };
    const source = { ...plain.sources[0], api, enrich: { coalesce: '10ms', maxDelay: '5s' }, ...changed };
    return configSchema.parse({ ...plain, store: {}, sources: [source] }).sources[0]!;
  };
  const enrichers = createEnrichers({
    sources: [sourceWith()],
    egress: DIRECT_EGRESS,
    observer: {
      callEnded: () => undefined,
      eventEnriched: () => undefined,
      circuitChanged: () => undefined,
      accessChanged: () => undefined,
      errorCaught: (_source, _what, error) => {
        throw error;
      },
    },
    replicaCount: () => 1,
    isLeader: () => true,
    refresh: async () => ({ started: 0, dropped: 0 }),
    now: Date.now,
    ...more,
  });
  onTestFinished(() => enrichers.stop());
  const [customer] = simulator.capillary.world.customers.values();
  const { signal } = new AbortController();
  const ask = async () =>
    enrichers.get('acme')?.enrich({
      event: anEvent('pointsIssued', {}, String(customer?.customerId)),
      receivedAt: Date.now(),
      purpose: 'live',
      signal,
    });
  return { simulator, enrichers, sourceWith, ask };
}

test('events of another organisation than that of the API client are not asked for', async () => {
  const { enrichers, ask, simulator, sourceWith } = await start();
  const { org } = simulator.capillary;
  const orgId = org + 1;
  await enrichers.set([sourceWith({ orgIds: [org, orgId] })])();
  const foreign = () =>
    enrichers.get('acme')?.enrich({
      event: { ...anEvent('pointsIssued', {}, '7'), orgId },
      receivedAt: Date.now(),
      purpose: 'live',
      signal: AbortSignal.timeout(60_000),
    });
  await foreign();
  expect(await until(() => foreign() === undefined)).toBe(true);
  expect((await ask())?.entities.customer?.kind).toBe('found');
});

test('only a source with `api` and `enrich` has an enricher, which asks its API', async () => {
  const { enrichers, ask, sourceWith } = await start();
  expect((await ask())?.entities.customer?.kind).toBe('found');
  expect(enrichers.get('other')).toBeUndefined();
  await enrichers.set([sourceWith({ enrich: undefined })])();
  expect(enrichers.get('acme')).toBeUndefined();
  expect(enrichers.all).toEqual([]);
});

test('a reload keeps what it does not concern, and replaces the rest', async () => {
  const { enrichers, sourceWith, ask } = await start();
  const first = enrichers.get('acme');
  await enrichers.set([sourceWith({ country: 'IN' })])();
  expect(enrichers.get('acme')).toBe(first);
  expect((await ask())?.missing).toBeUndefined();

  const close = enrichers.set([sourceWith({ enrich: { coalesce: '20ms' } })]);
  expect(enrichers.get('acme')).not.toBe(first);
  await close();
  expect((await ask())?.missing).toBeUndefined();
  const { signal } = new AbortController();
  const event = anEvent('pointsIssued', {}, '1');
  expect(await first?.enrich({ event, receivedAt: Date.now(), purpose: 'live', signal })).toMatchObject({
    missing: { customer: 'unavailable' },
  });
});

test('the job of a source goes on with its next destination, and ends with it', async () => {
  const routes: string[] = [];
  const { enrichers, sourceWith } = await start({
    refresh: async (request) => {
      routes.push(...request.routes.map(({ destination }) => destination));
      return { started: 0, dropped: 0 };
    },
  });
  enrichers.start();
  await until(() => routes.length > 0);
  expect(routes).toEqual(['acme-aep']);
  const enricher = enrichers.get('acme');
  await enrichers.set([sourceWith({ destination: 'other-aep' })])();
  expect(enrichers.get('acme')).toBe(enricher);
  await until(() => routes.includes('other-aep'));
  await enrichers.stop();
  expect(enrichers.all[0]?.job.status.state).toBe('stopped');
});
