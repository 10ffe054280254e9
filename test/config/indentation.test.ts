import { describe, expect, it } from 'vitest';
import { explainIndentation } from '../../src/config/indentation.ts';
import { errorOf, fixture, problemsOf } from './config-text.ts';

const ENV = {
  RELAY_ADMIN_TOKEN: 'token',
  KEY: 'key-of-the-tests',
  OLD_KEY: '',
  PW: 'password',
  TOKEN: 'token',
  SECRET: 'hmac',
  S: 'neo',
  IMS_CLIENT_ID: 'id',
  IMS_CLIENT_SECRET: 'secret',
};

/** Every text in which one line of the file is indented by more or less than it should. */
function shifted(text: string): { line: number; by: number; changed: string }[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const indent = line.length - line.trimStart().length;
    if (!/^\s*[^\s#]/.test(line)) return [];
    return [-2, -1, 1, 2]
      .filter((by) => indent + by >= 0)
      .map((by) => ({
        line: index + 1,
        by,
        changed: lines.with(index, ' '.repeat(indent + by) + line.trimStart()).join('\n'),
      }));
  });
}

/** Problems of a text that may be valid. */
function found(text: string) {
  try {
    return problemsOf(text, ENV);
  } catch {
    return [];
  }
}

describe('a line that is indented by more or less than it should', () => {
  it.each(['smallest.yaml', 'all-keys.yaml'])('is one problem at that line: each line of %s', (name) => {
    const wrong = shifted(fixture(name)).flatMap(({ line, by, changed }) => {
      const problems = found(changed);
      // Of an object with two lines, either can be the wrong one.
      const isNear = Math.abs((problems[0]?.line ?? 0) - line) <= 1;
      const isFound = problems.length === 0 || (problems.length === 1 && isNear);
      return isFound
        ? []
        : [{ line, by, problems: problems.map((one) => `${one.line} ${one.path} ${one.message}`) }];
    });
    expect(wrong).toEqual([]);
  });

  it('is explained, and other problems stay', () => {
    const text = fixture('smallest.yaml')
      .replace('    destination: aep', '  destination: aep')
      .replace('prod', '""');
    expect(problemsOf(text)).toMatchObject([
      {
        path: '',
        line: 3,
        message: 'the line is indented by 2 spaces, which puts it into the wrong object',
        fix: 'indent line 3 by 4 spaces',
      },
      { path: 'destinations[0].sandbox' },
    ]);
  });

  it('does not hide a key that is missing or unknown', () => {
    const text = fixture('smallest.yaml').replace('    sandbox: prod\n', '    sandboxx: prod\n');
    expect(problemsOf(text).map(({ path }) => path)).toEqual([
      'destinations[0].sandbox',
      'destinations[0].sandboxx',
    ]);
  });
});

describe('a large file with many problems', () => {
  const SOURCES = 200;
  const source = (number: number, line: string) =>
    `  - name: s${number}\n${line}\n    destination: aep\n    verify: [{ type: none }]\n`;
  const withLine = (line: string): string =>
    fixture('smallest.yaml').replace(
      'sources:\n',
      `sources:\n${Array.from({ length: SOURCES }, (_, index) => source(index, line)).join('')}`,
    );

  it('is read a few times only in search of one line', () => {
    const text = withLine('     country: IN');
    const problems = problemsOf(text);
    expect(problems.length).toBeGreaterThanOrEqual(SOURCES);
    let judged = 0;
    const judge = (changed: string) => {
      judged += changed.length;
      return problems;
    };
    expect(explainIndentation(text, problems, judge)).toBe(problems);
    expect(judged).toBeGreaterThan(0);
    expect(judged).toBeLessThanOrEqual(100_000);
  });

  it('is not searched at all for keys that are misspelt', () => {
    const problems = problemsOf(withLine('    timezon: UTC'));
    const judge = () => expect.fail('nothing is to be judged');
    expect(explainIndentation('', problems, judge)).toBe(problems);
  });

  it('is described by its first problems', () => {
    const { message, problems } = errorOf(withLine('    timezon: UTC'));
    expect(problems).toHaveLength(SOURCES);
    expect(message.match(/problem: /g)).toHaveLength(20);
    expect(message).toMatch(/\n\nand 180 more$/);
  });
});
