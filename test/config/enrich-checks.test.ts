import { expect, it } from 'vitest';
import type { Path } from '../../src/config/config-error.ts';
import { readConfig } from '../../src/config/load-config.ts';
import { problemsOf, smallestWith } from './config-text.ts';

const API = { url: 'https://eu.api.example.com', key: 'key', secret: 'the-secret-of-the-client' };

function textOf(enrich: object, ...more: readonly (readonly [Path, unknown])[]): string {
  return smallestWith([['sources', 0, 'api'], { ...API }], [['sources', 0, 'enrich'], enrich], ...more);
}

it.each<readonly [string, string, string, string]>([
  ['no API', smallestWith([['sources', 0, 'enrich'], {}]), 'sources[0].enrich', 'needs `api`'],
  [
    'nothing to complete',
    textOf({ customers: false, transactions: false }),
    'sources[0].enrich',
    'completes nothing',
  ],
  [
    'a call that is too late',
    textOf({ coalesce: '5s', maxDelay: '5s' }),
    'sources[0].enrich.coalesce',
    'is not below maxDelay',
  ],
  [
    'events that wait until they are too old',
    textOf({ maxDelay: '10s' }, [['destinations', 0, 'retry'], { maxAge: '10s' }]),
    'sources[0].enrich.maxDelay',
    'is not below retry.maxAge',
  ],
])('enrich with %s is refused', (_, text, path, message) => {
  const [problem, ...others] = problemsOf(text);
  expect(others).toEqual([]);
  expect(problem).toMatchObject({ path, message: expect.stringContaining(message) });
  expect(problem?.fix).toBeTruthy();
});

it('a problem of the API is not reported as a missing one', () => {
  const text = textOf({}, [['sources', 0, 'api', 'url'], 'eu.api.example.com']);
  expect(problemsOf(text).map(({ path }) => path)).toEqual(['sources[0].api.url']);
});

it('a destination in whose format it has no effect is worth a warning', () => {
  const text = textOf({}, [['destinations', 0, 'format'], 'raw']);
  const { warnings } = readConfig(text, 'relay.yaml', {}, []);
  expect(warnings).toMatchObject([
    { path: 'sources[0].enrich', message: expect.stringContaining('has the format raw') },
  ]);
});

it('is accepted with its defaults', () => {
  const { config, warnings } = readConfig(textOf({}), 'relay.yaml', {}, []);
  expect(warnings).toEqual([]);
  expect(config.sources[0]?.enrich).toEqual({
    transactions: true,
    customers: true,
    coalesce: 3_000,
    attempts: 3,
    maxDelay: 60_000,
  });
});
