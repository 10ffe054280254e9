import { expect, it } from 'vitest';
import { type SourceConfig, sourceSchema } from '../../src/config/source-config.ts';
import { checkWebhook } from '../../src/sources/webhook-header.ts';

const API = { url: 'https://eu.api.capillarytech.com', key: 'key', secret: 'secret' };
const WEBHOOK = {
  name: 'acme-aep-relay',
  url: 'https://relay.example.com/webhooks/acme',
  header: { name: 'x-relay-key', value: 'next' },
};

function source(changes: Readonly<Record<string, unknown>> = {}): SourceConfig {
  const verify = [{ type: 'header', name: 'X-Relay-Key', values: ['old', 'next'] }];
  const { api, ...rest } = sourceSchema.parse({
    name: 'acme',
    destination: 'aep',
    verify,
    webhook: WEBHOOK,
    api: API,
    ...changes,
  });
  return { ...rest, api };
}

it('a webhook that its source accepts has no problem; without a webhook there is nothing to check', () => {
  expect(checkWebhook(source())).toEqual([]);
  expect(checkWebhook(source({ webhook: undefined, api: undefined }))).toEqual([]);
});

it.each<[string, Record<string, unknown>, object]>([
  ['the API', { api: undefined }, { path: ['webhook'], message: expect.stringContaining('needs `api`') }],
  [
    'the path of the source',
    { webhook: { ...WEBHOOK, url: 'https://relay.example.com/webhooks/other' } },
    { path: ['webhook', 'url'], severity: 'warning', fix: expect.stringContaining('/webhooks/acme') },
  ],
  [
    'an accepted header',
    { webhook: { ...WEBHOOK, header: { name: 'X-Relay-Key', value: 'unknown' } } },
    { path: ['webhook', 'header'], severity: 'warning', message: expect.stringContaining('401') },
  ],
  [
    'a verifier of a header, not of a signature',
    { verify: [{ type: 'hmac', header: 'X-Signature', secrets: ['next'] }] },
    { path: ['webhook', 'header'], severity: 'warning' },
  ],
])('a webhook needs %s', (_, changes, expected) => {
  const findings = checkWebhook(source(changes));
  expect(findings).toEqual([expect.objectContaining(expected)]);
  expect(JSON.stringify(findings)).not.toMatch(/"(old|next|unknown)"/);
});

it('what is invalid has a finding of its own, and none here', () => {
  expect(checkWebhook({ name: 'acme', webhook: source().webhook })).toEqual([]);
});
