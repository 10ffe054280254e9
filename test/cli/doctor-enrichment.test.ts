import { expect, it, onTestFinished } from 'vitest';
import { networkFindings } from '../../src/cli/doctor/network-findings.ts';
import { configSchema } from '../../src/config/config-schema.ts';
import type { CapillaryOptions } from '../../src/simulator/capillary/api/capillary-options.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { relayConfig } from '../helpers/relay-process.ts';

/** What `doctor` finds about the API of a source with `enrich`. */
async function findings(capillary: CapillaryOptions, enrich: object | undefined = {}) {
  const simulator = await startSimulator({ capillary });
  onTestFinished(() => simulator.close());
  const plain = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
  plain.store['path'] = '/unused';
  Object.assign(plain.sources[0]!, {
    orgIds: [simulator.capillary.org],
    api: { url: simulator.capillaryUrl, key: 'key', secret: 'secret' },
    ...(enrich === undefined ? {} : { enrich }),
  });
  const found = await networkFindings(configSchema.parse(plain), {});
  return found.filter(({ check }) => check.startsWith('enrich/'));
}

const ACCESS = { Customer: ['read'], Organization: ['read'], Product: ['read'] } as const;

it('says that the API client may read what it has to', async () => {
  expect(await findings({})).toEqual([
    { check: 'enrich/acme', level: 'ok', detail: 'the API client may read what completes events' },
  ]);
});

it('names each right that is missing, of what is enriched only', async () => {
  const clients = [{ key: 'key', secret: 'secret', access: ACCESS }];
  expect(await findings({ clients })).toMatchObject([
    { level: 'fail', detail: 'the access group lacks Read on Transaction' },
  ]);
  expect(await findings({ clients }, { transactions: false })).toMatchObject([{ level: 'ok' }]);
});

it('warns of masked personal data', async () => {
  const clients = [{ key: 'key', secret: 'secret', psiAccess: false }];
  expect(await findings({ clients })).toMatchObject([
    { level: 'warn', detail: expect.stringContaining('masks names') },
  ]);
});

it('asks nothing of a source without enrich', async () => {
  const simulator = await startSimulator({});
  onTestFinished(() => simulator.close());
  const plain = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
  plain.store['path'] = '/unused';
  plain.sources[0]!['api'] = { url: simulator.capillaryUrl, key: 'key', secret: 'secret' };
  await networkFindings(configSchema.parse(plain), {});
  expect([...simulator.capillary.calls.keys()]).toEqual(['POST /v3/oauth/token/generate']);
});
