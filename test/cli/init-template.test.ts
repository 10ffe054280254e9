import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { configTemplate, SECRETS_IN_ENVIRONMENT } from '../../src/cli/init/config-template.ts';
import { answersOf, QUESTIONS } from '../../src/cli/init/init-answers.ts';
import { loadUnprovisioned } from '../../src/config/load-config.ts';

const ENV = {
  IMS_CLIENT_SECRET: 'client-secret',
  CAPILLARY_API_KEY: 'api-key',
  CAPILLARY_API_SECRET: 'api-secret',
  RELAY_KEY: 'relay-key-of-32-characters-0123456',
};

const answers = fc
  .record({
    name: fc.oneof(
      fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/),
      fc.constantFrom('007', '1e5', 'true', 'null', 'no', '0x1f'),
    ),
    imsOrgId: fc.stringMatching(/^[0-9A-F]{24}$/).map((id) => `${id}@AdobeOrg`),
    sandbox: fc.oneof(
      fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}$/),
      fc.constantFrom('2024', 'false', '1_000'),
    ),
    clientId: fc.stringMatching(/^[0-9a-f]{32}$/),
    cluster: fc.constantFrom('eu', 'APAC2', 'https://eu.api.capillarytech.com/'),
    orgId: fc.constantFrom('', '1', '100737'),
    url: fc.constantFrom(
      'https://relay.example.com',
      'https://relay.example.com:8443/',
      'http://127.0.0.1:8080',
    ),
    timezone: fc.constantFrom('UTC', 'Asia/Kolkata', 'Etc/GMT+5'),
    country: fc.constantFrom('', 'NO', 'IN', 'ON'),
  })
  .filter((texts) =>
    QUESTIONS.every(
      ({ key, refuse, isOptional }) => (isOptional && texts[key] === '') || refuse(texts[key]) === undefined,
    ),
  );

describe('a configuration made by init', () => {
  it('has every accepted answer, as it was given', () => {
    const folder = mkdtempSync(join(tmpdir(), 'init-template-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'relay.yaml');
    fc.assert(
      fc.property(answers, (texts) => {
        const given = answersOf(texts);
        writeFileSync(file, configTemplate(given, SECRETS_IN_ENVIRONMENT, undefined));
        const { config } = loadUnprovisioned(file, ENV, [], undefined).loaded;
        expect(config.sources[0]).toMatchObject({
          name: given.name,
          destination: `${given.name}-aep`,
          timezone: given.timezone,
          webhook: { name: `${given.name}-aep-relay`, url: `${given.url}/webhooks/${given.name}` },
        });
        expect(config.sources[0]?.country).toBe(given.country);
        expect(config.sources[0]?.orgIds).toEqual(
          given.orgId === undefined ? undefined : [Number(given.orgId)],
        );
        expect(config.destinations[0]).toMatchObject({
          name: `${given.name}-aep`,
          imsOrgId: given.imsOrgId,
          sandbox: given.sandbox,
          ims: { clientId: given.clientId },
        });
      }),
      { numRuns: 200 },
    );
  });
});
