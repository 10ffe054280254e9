import { describe, expect, it } from 'vitest';
import { parseYaml } from '../../src/config/yaml-tree.ts';
import { problemsOf } from './config-text.ts';

describe('parseYaml', () => {
  it.each([
    ['a key given twice', 'server:\n  port: 1\n  port: 2\n', 3, 3, 'given twice'],
    ['a tab', 'server:\n\tport: 1\n', 2, 1, 'tab'],
    ['an open quote', 'server:\n  host: "0.0.0.0\n', 3, 1, 'missing'],
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
