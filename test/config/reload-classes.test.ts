import { describe, expect, it } from 'vitest';
import { type JsonSchema, plainJsonSchema } from '../../src/config/json-schema.ts';
import { keepRestartKeys, RELOAD_CLASSES, reloadClassOf } from '../../src/config/reload-classes.ts';
import { configOf, smallestWith } from './config-text.ts';

/** Paths of all keys below the sections, such as `store.retention.ids` and `sources[].name`. */
function keysOf(schema: JsonSchema, path: string): string[] {
  const options = [schema, ...(schema.oneOf ?? [])];
  const below = options.flatMap((option) => Object.entries(option.properties ?? {}));
  const own = below.flatMap(([key, field]) => keysOf(field, path === '' ? key : `${path}.${key}`));
  const items = schema.items === undefined ? [] : keysOf(schema.items, `${path}[]`);
  return [...(path === '' ? [] : [path]), ...own, ...items];
}

function isBelow(key: string, prefix: string): boolean {
  return key === prefix || key.startsWith(`${prefix}.`) || key.startsWith(`${prefix}[`);
}

describe('the classes of keys', () => {
  const prefixes = Object.keys(RELOAD_CLASSES);

  it('have every key of the schema exactly once', () => {
    const keys = keysOf(plainJsonSchema(), '');
    expect(keys.length).toBeGreaterThan(100);
    const sections = keys.filter((key) => prefixes.some((prefix) => isBelow(prefix, key) && prefix !== key));
    const wrong = keys
      .filter((key) => !sections.includes(key))
      .filter((key) => prefixes.filter((prefix) => isBelow(key, prefix)).length !== 1);
    expect(wrong).toEqual([]);
    expect(sections).toEqual(['server', 'admin', 'store', 'log']);
  });

  it('have no key that the schema does not have', () => {
    const keys = keysOf(plainJsonSchema(), '');
    expect(prefixes.filter((prefix) => !keys.includes(prefix))).toEqual([]);
  });

  it('are found for a key below', () => {
    expect(reloadClassOf('server.rateLimit.max')).toBe('reload');
    expect(reloadClassOf('sources[].verify[].values')).toBe('reload');
    expect(reloadClassOf('store.path')).toBe('restart');
    expect(reloadClassOf('server.portable')).toBeUndefined();
  });
});

it('keeps the running values of the keys that need a restart, and only of them', () => {
  const running = configOf(smallestWith());
  const next = configOf(
    smallestWith(
      [['server'], { port: 18_080, bodyLimit: '2MB' }],
      [['store'], { path: '/elsewhere', maxBytes: '5GiB' }],
      [['sources', 0, 'timezone'], 'Asia/Kolkata'],
    ),
  );
  const merged = keepRestartKeys(running, next);
  expect(merged.server).toEqual({ ...running.server, bodyLimit: 2_000_000 });
  expect(merged.store).toEqual({ ...running.store, maxBytes: 5 * 1_024 ** 3 });
  expect(merged.sources).toEqual(next.sources);
  expect(running.server.port).toBe(8_080);
});
