import { describe, expect, it } from 'vitest';
import { sourceFindings } from '../../src/cli/doctor/source-findings.ts';
import { configOf, problemsOf, smallestWith } from './config-text.ts';

interface Source {
  readonly orgIds?: readonly number[];
  readonly prefix?: string;
  readonly destination?: string;
}

/** A configuration with these sources. */
function textOf(sources: readonly Source[], format = 'xdm'): string {
  return smallestWith(
    [
      ['sources'],
      sources.map(({ orgIds, prefix, destination = 'aep' }, index) => ({
        name: `source-${index}`,
        destination,
        verify: [{ type: 'none' }],
        ...(orgIds === undefined ? {} : { orgIds }),
        ...(prefix === undefined ? {} : { identity: { prefix } }),
      })),
    ],
    [['destinations', 0, 'format'], format],
  );
}

describe('two organisations in one destination', () => {
  const separated = /customers of organisations 1 and 2 apart/;
  const split = /each of its customers would become two/;

  it.each([
    ['two sources', [{ orgIds: [1] }, { orgIds: [2] }], 'sources[1].identity.prefix', separated],
    ['one source', [{ orgIds: [1, 2] }], 'sources[0].identity.prefix', separated],
    [
      'the same fixed prefix',
      [
        { orgIds: [1], prefix: 'a-' },
        { orgIds: [2], prefix: 'a-' },
      ],
      'sources[1].identity.prefix',
      separated,
    ],
    ['a fixed prefix for both', [{ orgIds: [1, 2], prefix: 'a-' }], 'sources[0].identity.prefix', separated],
    [
      'one organisation in two forms',
      [{ orgIds: [1] }, { orgIds: [1], prefix: '1-' }],
      'sources[1].identity.prefix',
      split,
    ],
  ] as const)('are refused: %s', (_name, sources, path, message) => {
    const problems = problemsOf(textOf(sources));
    expect(problems).toMatchObject([{ path, message: expect.stringMatching(message) }]);
  });

  it('the fix names the prefix', () => {
    expect(problemsOf(textOf([{ orgIds: [1] }, { orgIds: [2] }]))[0]?.fix).toContain('prefix: "<orgId>-"');
  });

  it.each([
    [
      'with the prefix of the organisation',
      [
        { orgIds: [1, 2], prefix: '<orgId>-' },
        { orgIds: [2], prefix: '<orgId>-' },
      ],
    ],
    ['with different prefixes', [{ orgIds: [1] }, { orgIds: [2], prefix: 'b-' }]],
    ['the same organisation twice', [{ orgIds: [1] }, { orgIds: [1] }]],
    ['any organisation', [{}, { orgIds: [] }]],
  ] as const)('are accepted: %s', (_name, sources) => {
    expect(configOf(textOf(sources)).sources).toHaveLength(sources.length);
  });

  it('are accepted in raw format, whose identities Data Prep builds', () => {
    expect(configOf(textOf([{ orgIds: [1] }, { orgIds: [2] }], 'raw')).sources).toHaveLength(2);
  });
});

describe('doctor', () => {
  const levelsOf = (sources: readonly Source[], format = 'xdm') =>
    sourceFindings(configOf(textOf(sources, format))).map(({ level, check }) => `${level} ${check}`);

  it('warns of sources of one destination that may send different organisations', () => {
    expect(levelsOf([{}, { orgIds: [1] }])).toEqual(['warn organisations/aep']);
    expect(levelsOf([{ orgIds: [] }, {}])).toEqual(['warn organisations/aep']);
  });

  it('warns of nothing else', () => {
    expect(levelsOf([{}])).toEqual([]);
    expect(levelsOf([{ orgIds: [1] }, { orgIds: [1] }])).toEqual([]);
    expect(levelsOf([{ prefix: '<orgId>-' }, { prefix: '<orgId>-' }])).toEqual([]);
    expect(levelsOf([{}, {}], 'raw')).toEqual([]);
  });
});
