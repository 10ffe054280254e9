import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type JsonSchema, configJsonSchema, plainJsonSchema } from '../../src/config/json-schema.ts';
import { fixture, smallestWith } from './config-text.ts';

const docs = new URL('../../docs/', import.meta.url).pathname;
const example = readFileSync(new URL('../../examples/relay.yaml', import.meta.url), 'utf8');
const validate = new Ajv({ allErrors: true, strict: true, strictTypes: false }).compile(configJsonSchema());

function fieldsOf(schema: JsonSchema, path: string): [string, JsonSchema][] {
  return [
    ...Object.entries(schema.properties ?? {}).flatMap(([key, field]) => [
      [`${path}.${key}`, field] as [string, JsonSchema],
      ...fieldsOf(field, `${path}.${key}`),
    ]),
    ...(schema.items ? fieldsOf(schema.items, `${path}[]`) : []),
    ...(schema.oneOf ?? []).flatMap((option) => fieldsOf(option, path)),
  ];
}

describe('the JSON Schema', () => {
  // To update it: npm run docs
  it('equals docs/config.schema.json', async () => {
    const text = `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`;
    await expect(text).toMatchFileSnapshot(`${docs}config.schema.json`);
  });

  it('describes every key in one line', () => {
    const bad = fieldsOf(plainJsonSchema(), '').filter(
      ([, { description = '' }]) => !/^[^\n]{8,140}\.$/.test(description),
    );
    expect(bad).toEqual([]);
  });

  it.each([
    ['a configuration with all keys', fixture('all-keys.yaml')],
    ['the smallest configuration', fixture('smallest.yaml')],
    ['the example', example],
    ['numbers from variables', smallestWith([['server', 'port'], '${PORT:-80}'])],
    ['a string of digits', smallestWith([['server', 'port'], '80'])],
    ['flags from variables', smallestWith([['destinations', 0, 'authenticated'], '${AUTH}'])],
    ['durations from variables', smallestWith([['server', 'rateLimit', 'window'], '${WINDOW}'])],
    ['a level from a variable', smallestWith([['log', 'level'], '${LEVEL:-info}'])],
    ['scopes as one string', smallestWith([['destinations', 0, 'ims', 'scopes'], 'openid, session'])],
  ])('accepts %s', (_name, text) => {
    validate(parse(text));
    expect(validate.errors ?? []).toEqual([]);
  });

  it.each([
    ['an unknown key', smallestWith([['server', 'portt'], 1])],
    ['a port that is too high', smallestWith([['server', 'port'], 70_000])],
    ['a size without a unit', smallestWith([['server', 'bodyLimit'], 5])],
    ['an invalid duration', smallestWith([['server', 'rateLimit', 'window'], '5 minutes'])],
    ['an unknown level', smallestWith([['log', 'level'], 'loud'])],
    ['an unknown verifier', smallestWith([['sources', 0, 'verify', 0, 'type'], 'headers'])],
    ['a missing key', smallestWith([['destinations', 0, 'sandbox'], undefined])],
    ['an invalid organisation id', smallestWith([['destinations', 0, 'imsOrgId'], '1A2B'])],
  ])('refuses %s', (_name, text) => {
    expect(validate(parse(text))).toBe(false);
  });
});
