import { describe, expect, it } from 'vitest';
import { diffConfigs } from '../../src/config/config-diff.ts';
import type { Path } from '../../src/config/config-error.ts';
import { isSecretKey } from '../../src/config/field-types.ts';
import { configOf, smallestWith } from './config-text.ts';

type Changes = readonly (readonly [path: Path, value: unknown])[];

function diff(before: Changes, after: Changes) {
  return diffConfigs(configOf(smallestWith(...before)), configOf(smallestWith(...after)));
}

const SECOND = {
  name: 'second',
  destination: 'acme-aep',
  verify: [{ type: 'bearer', tokens: ['a-bearer-token'] }],
};

describe('diffConfigs', () => {
  it('finds nothing between equal configurations', () => {
    expect(diff([], [])).toEqual([]);
  });

  it('names sources and destinations, whatever their position', () => {
    const [source] = configOf(smallestWith()).sources;
    const changed = diff([], [[['sources', 0, 'timezone'], 'Asia/Kolkata']]);
    expect(changed).toEqual([{ path: `sources[${source!.name}].timezone`, from: 'UTC', to: 'Asia/Kolkata' }]);
  });

  it('shows an added source without its secrets, and a removed one', () => {
    const destination = configOf(smallestWith()).destinations[0]!.name;
    const second = [['sources', 1], { ...SECOND, destination }] as const;
    const [added, ...others] = diff([], [second]);
    expect(others).toEqual([]);
    expect(added).toMatchObject({ path: 'sources[second]', to: expect.stringContaining('"name":"second"') });
    expect(JSON.stringify(added)).not.toContain('a-bearer-token');
    expect(added).not.toHaveProperty('from');
    const [removed] = diff([second], []);
    expect(removed).toMatchObject({ path: 'sources[second]', from: expect.any(String) });
    expect(removed).not.toHaveProperty('to');
  });

  it('says of a secret only that it changed', () => {
    const values: Path = ['sources', 0, 'verify', 0, 'values'];
    const changed = diff([[values, ['old-secret']]], [[values, ['new-secret', 'old-secret']]]);
    expect(changed).toEqual([
      { path: expect.stringMatching(/^sources\[.*\]\.verify\[0\]\.values$/), secret: true },
    ]);
    expect(diff([[['admin'], { token: 'old-token' }]], [[['admin'], {}]])).toEqual([
      { path: 'admin.token', secret: true },
    ]);
    expect(isSecretKey('token')).toBe(true);
  });

  it('counts ignored contacts and does not show them', () => {
    const ignore: Path = ['sources', 0, 'contacts', 'ignore'];
    const list = ['help@shop.example', '+91 98 7654 3210'];
    const changed = diff([], [[ignore, list]]);
    expect(changed).toMatchObject([
      { path: expect.stringMatching(/\.contacts\.ignore$/), from: '0 contacts', to: '2 contacts' },
    ]);
    expect(diff([[ignore, list]], [[ignore, ['a@b.example', 'c@b.example']]])).toEqual([
      { path: changed[0]!.path },
    ]);
    const destination = configOf(smallestWith()).destinations[0]!.name;
    const second = { ...SECOND, destination, contacts: { ignore: list } };
    expect(JSON.stringify(diff([], [[['sources', 1], second]]))).not.toContain('@shop');
  });

  it('shows a change of what is shortened without its text', () => {
    const url: Path = ['destinations', 0, 'inletUrl'];
    const at = (id: string) => `https://dcs.adobedc.net/collection/${id}abcd`;
    const [change] = diff([[url, at('1'.repeat(20))]], [[url, at('2'.repeat(20))]]);
    expect(Object.keys(change!)).toEqual(['path']);
  });

  it('cuts long values', () => {
    const override = (text: string): Changes => [
      [['sources', 0, 'overrides'], { 'odd name': { event: `{"a": "${text}"}` } }],
    ];
    const [change] = diff(override('x'), override('y'.repeat(5_000)));
    expect(change!.path).toMatch(/\.overrides\["odd name"\]\.event$/);
    expect(change!.from).toBe('{"a": "x"}');
    expect(change!.to).toHaveLength(200);
    expect(change!.to).toMatch(/y…$/);
  });

  it('compares lists of values as a whole and lists of objects by position', () => {
    const [list, ...rest] = diff(
      [[['sources', 0, 'allowFrom'], ['10.0.0.0/8']]],
      [[['sources', 0, 'allowFrom'], []]],
    );
    expect(list).toMatchObject({ from: '["10.0.0.0/8"]', to: '[]' });
    expect(rest).toEqual([]);
    const header = (name: string) => ({ type: 'header', name, values: ['a'] });
    const verify: Path = ['sources', 0, 'verify'];
    expect(
      diff([[verify, [header('X-A'), header('X-B')]]], [[verify, [header('X-A'), header('X-C')]]]),
    ).toEqual([{ path: expect.stringMatching(/\.verify\[1\]\.name$/), from: 'X-B', to: 'X-C' }]);
  });
});
