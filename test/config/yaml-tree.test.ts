import { describe, expect, it } from 'vitest';
import { parseYaml } from '../../src/config/yaml-tree.ts';
import { problemsOf } from './config-text.ts';

describe('parseYaml', () => {
  it.each([
    [
      'a key given twice',
      'a: 1\nserver:\n  port: 1\n  port: 2\n',
      4,
      3,
      '`port` is given twice in the same object, on lines 3 and 4',
    ],
    ['a tab', 'server:\n\tport: 1\n', 2, 1, 'a tab is used as indentation on line 2'],
    [
      'a tab after spaces',
      'server:\n  host: a\n  \tport: 1\nlog: {}\n',
      3,
      1,
      'a tab is used as indentation on line 3',
    ],
    [
      'a tab after a dash',
      'sources:\n  -\tname: a\n    b: 1\n    c: 1\n',
      2,
      1,
      'a tab is used as indentation on line 2',
    ],
    [
      'an open quote',
      'server:\n  host: "0.0.0.0\n  port: 1\nlog: {}\n',
      2,
      9,
      'the quote that opens on line 2',
    ],
    [
      'an open single quote',
      "server:\n  host: '0.0.0.0\n  port: 1\n",
      2,
      9,
      'the quote that opens on line 2',
    ],
    ['an open quote in a list', 'a: [{ b: ["c] }]\nd: 1\n', 1, 11, 'the quote that opens on line 1'],
    ['an open bracket', 'a: { b: [c }\nd: 1\n', 1, 12, '`]` is missing on or above line 1'],
    [
      'a colon without a space',
      'a:\n  b: 1\n  c:dev\n  d: 1\n',
      3,
      4,
      'a space is missing after the colon on line 3',
    ],
    [
      'a colon without a space, first',
      'a:\n  - b:1\n    c: 1\n',
      2,
      6,
      'a space is missing after the colon on line 2',
    ],
    ['a wrong indentation', 'server:\n  host: a\n   port: 1\n', 2, 9, 'indented too far'],
    ['a reserved character', 'server:\n  host: @x\n', 2, 9, 'cannot begin with'],
    ['an unknown tag', 'server:\n  host: !x y\n', 2, 9, 'begins with !'],
    ['an alias without an anchor', 'server:\n  host: *x\n', 2, 9, 'begins with *'],
    ['an alias inside of its own anchor', 'server: &x\n  host: *x\n', 2, 9, 'begins with *'],
    ['two documents', 'a: 1\n---\nb: 1\n', 2, 1, 'more than one'],
  ])('refuses %s with its position', (_name, text, line, column, message) => {
    const [problem] = problemsOf(text);
    expect(problem).toMatchObject({ line, column });
    expect(problem?.message).toContain(message);
  });

  it.each([
    ['server:\n\tport: 1\n\thost: a\n', '2 and 3'],
    [`server:\n${'\tport: 1\n'.repeat(8)}`, '2, 3, 4, 5, 6 and 3 more'],
  ])('names every line with a tab, and nothing else: %j', (text, lines) => {
    expect(problemsOf(text)).toMatchObject([{ fix: `replace the tabs with spaces on lines ${lines}` }]);
  });

  it('accepts a tab that is not indentation', () => {
    const text = 'a:\t1\nb: |\n  \tx\n';
    expect(parseYaml(text, 'relay.yaml').value).toEqual({ a: 1, b: '\tx\n' });
  });

  it('refuses aliases that expand to a huge tree', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 9; i += 1)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    const [problem] = problemsOf(lines.join('\n'));
    expect(problem?.message).toContain('aliases');
  });

  it('refuses a merge of anything but an object', () => {
    expect(problemsOf('server: { <<: 5 }')[0]?.message).toContain('merges');
  });

  it.each([
    'token: "p8e-secret\n',
    'token: *p8e-secret\n',
    'token: !p8e-secret\n',
    'token: &p8e-secret: x\n',
    'token: "p8e-secret \\q"\n',
    'token: @p8e-secret\n',
    '[p8e-secret: {]\n',
    'token: |p8e-secret\n x\n',
  ])('does not quote the invalid text: %j', (text) => {
    for (const { message, fix } of problemsOf(text)) expect(message + fix).not.toContain('p8e');
  });

  it('returns the position of keys and list items, or of the nearest one above a missing key', () => {
    const text = 'a: &a\n  b:\n    - x\n    - c: 1\nd: *a\ne:\n  <<: *a\n  f: 1\n';
    const { position, value } = parseYaml(text, 'relay.yaml');
    const inner = { b: ['x', { c: 1 }] };
    expect(value).toEqual({ a: inner, d: inner, e: { ...inner, f: 1 } });
    expect(position([])).toEqual({ line: 1, column: 1 });
    expect(position(['a', 'b', 0])).toEqual({ line: 3, column: 7 });
    expect(position(['a', 'b', 1, 'c'])).toEqual({ line: 4, column: 7 });
    expect(position(['d', 'b', 1, 'c'])).toEqual({ line: 4, column: 7 });
    expect(position(['a', 'b', 1, 'missing', 'deeper'])).toEqual({ line: 4, column: 7 });
    expect(position(['e', 'f'])).toEqual({ line: 8, column: 3 });
    expect(position(['nothing'])).toEqual({ line: 1, column: 1 });
  });
});
