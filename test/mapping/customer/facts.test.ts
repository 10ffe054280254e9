import { describe, expect, it } from 'vitest';
import { type Fact, factNamed, factPath, factsIn } from '../../../src/mapping/customer/facts.ts';

const version = { value: 1, at: 2, by: 'a' };

describe('the path of a fact', () => {
  it.each([
    ['@joined', ['joined', '', ''], { name: '', item: '' }],
    ['@joined[17]', ['joined', '17', ''], { name: '', item: '' }],
    ['@loyalty.type', ['loyalty', '', 'type'], { name: 'type', item: '' }],
    ['@p[973].points', ['p', '973', 'points'], { name: 'points', item: '' }],
    ['@p[973].log[ab12]', ['p', '973', ['log', 'ab12']], { name: 'log', item: 'ab12' }],
    ['@x[a.b%5Bc%5D].n[d.e%5D%25]', ['x', 'a.b[c]', ['n', 'd.e]%']], { name: 'n', item: 'd.e]%' }],
    ['@x.n[a.b]', ['x', '', ['n', 'a.b']], { name: 'n', item: 'a.b' }],
  ] as const)('%s is written and read', (path, parts, { name, item }) => {
    const [group, key, part] = parts;
    expect(factPath(group, key, part)).toBe(path);

    const expected: Fact[] = [{ ...version, name, item }];
    expect(factsIn(new Map([[path, version]]))).toEqual(new Map([[group, new Map([[key, expected]])]]));
  });

  it('tells facts from attributes, and names without an item from those with one', () => {
    const facts = factsIn(
      new Map([
        ['loyalty.points', version],
        ['@p[1].points[x]', version],
        ['@p[1].points', { ...version, value: 3 }],
      ]),
    );

    expect([...facts.keys()]).toEqual(['p']);
    expect(factNamed(facts.get('p')?.get('1'), 'points')?.value).toBe(3);
  });
});
