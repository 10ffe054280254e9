import { describe, expect, it } from 'vitest';
import { configOf, problemsOf, smallestWith } from './config-text.ts';

interface Given {
  readonly apiUrl?: string;
  readonly key?: string;
  readonly name?: string;
  readonly url?: string;
}

/** A configuration with a source for each. */
function textOf(...given: readonly Given[]): string {
  return smallestWith([
    ['sources'],
    given.map(({ apiUrl = 'https://eu.api.example.com', key = 'key', ...webhook }, index) => ({
      name: `source-${index}`,
      destination: 'aep',
      verify: [{ type: 'header', name: 'X-Relay-Key', values: ['the-value-of-the-header'] }],
      api: { url: apiUrl, key, secret: 'the-secret-of-the-client' },
      webhook: {
        name: `webhook-${index}`,
        url: `https://relay.example.com/webhooks/source-${index}`,
        header: { name: 'X-Relay-Key', value: 'the-value-of-the-header' },
        ...webhook,
      },
    })),
  ]);
}

describe('two sources', () => {
  it.each<readonly [string, Given, Given, string]>([
    ['name in one cluster', { name: 'relay' }, { name: 'relay', key: 'other' }, 'name'],
    [
      'URL with one API client',
      { url: 'https://relay.example.com/webhooks/source-1' },
      { url: 'https://relay.example.com/webhooks/source-1' },
      'url',
    ],
  ])('with one %s are refused', (_, first, second, key) => {
    expect(problemsOf(textOf(first, second))).toMatchObject([{ path: `sources[1].webhook.${key}` }]);
  });

  it.each<readonly [string, Given, Given]>([
    ['name in two clusters', { name: 'relay' }, { name: 'relay', apiUrl: 'https://us.api.example.com' }],
    [
      'URL of a gateway for two organisations',
      { url: 'https://gateway.example.com/hook' },
      { url: 'https://gateway.example.com/hook', key: 'other' },
    ],
  ])('can have one %s', (_, first, second) => {
    expect(configOf(textOf(first, second)).sources).toHaveLength(2);
  });
});
