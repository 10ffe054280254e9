import { describe, expect, it } from 'vitest';
import { measureAgainst } from '../../bench/against.ts';
import { compare, median, percentiles } from '../../bench/statistics.ts';
import { tableOf } from '../../bench/report.ts';
import { isMet, type Row } from '../../bench/part.ts';

describe('a comparison', () => {
  it('favours neither side when the machine becomes slower', async () => {
    let speed = 1;
    const order: string[] = [];
    const measure = (name: string, value: number) => async () => {
      order.push(name);
      speed -= 0.02;
      return value * speed;
    };
    const { ratio, control } = await compare(3, measure('A', 600), measure('B', 1_000));
    expect(order.join('')).toBe('ABABABA');
    expect(ratio).toBeCloseTo(0.6, 10);
    expect(control[0]).toBeLessThan(1);
    expect(control[1]).toBeLessThan(1);
  });

  it('shows in its control how far the ratio can be trusted', async () => {
    const as = [100, 130, 90];
    const { control } = await compare(
      2,
      async () => as.shift() ?? 0,
      async () => 100,
    );
    expect(control[0]).toBeCloseTo(90 / 130);
    expect(control[1]).toBeCloseTo(1.3);
  });
});

describe('two builds', () => {
  const cpu = { part: 'through', what: 'CPU', unit: 'µs', ratioGoal: { most: 0.5 } };
  const twice = { part: 'through', what: 'twice', unit: '' };

  /** Runs that measure these values of CPU time, one after the other. */
  function runs(name: string, values: readonly number[], order: string[]): () => Promise<readonly Row[]> {
    let next = 0;
    return async () => {
      order.push(name);
      return [
        { ...cpu, value: values[next++] ?? 0 },
        { ...twice, value: 0 },
      ];
    };
  }

  it('are measured alternately, and a goal bounds the ratio of this one to the other', async () => {
    const order: string[] = [];
    const rows = await measureAgainst(
      2,
      runs('this', [200, 220, 200], order),
      runs('other', [500, 500], order),
    );
    expect(order).toEqual(['this', 'other', 'this', 'other', 'this']);
    const [first, second] = rows;
    expect(first).toMatchObject({ value: 200, before: 500, ratio: 0.42, control: [200 / 220, 1.1] });
    expect(second).toEqual({ ...twice, value: 0, before: 0 });
    expect(rows.map(isMet)).toEqual([true, undefined]);
    const [head, , line] = tableOf(rows).split('\n');
    expect(head).toMatch(/Value +\| Before +\| Ratio +\| A\/A +\| Goal/);
    expect(line).toMatch(/\| 200 µs \| 500 µs \| 0\.42 × \| 0\.909–1\.1 \| ≤ 0\.5 × before: met \|/);
  });

  it('have no goal for a ratio when only one was measured', () => {
    const row = { ...cpu, value: 200 };
    expect(isMet(row)).toBeUndefined();
    expect(tableOf([row])).not.toMatch(/Before|met|missed/);
  });
});

describe('figures', () => {
  it('are medians and percentiles', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentiles(hundred)).toEqual({ count: 100, p50: 51, p95: 96, p99: 100, max: 100 });
    expect(percentiles([])).toEqual({ count: 0, p50: 0, p95: 0, p99: 0, max: 0 });
  });

  it('meet or miss a goal, which the table shows next to the control', () => {
    const ratio = { part: 'accept', what: 'ratio', value: 0.61, unit: '×', goal: { least: 0.6 } } as const;
    const time = { part: 'accept', what: 'p99', value: 11.4, unit: 'ms', goal: { most: 10 } } as const;
    expect([isMet(ratio), isMet(time), isMet({ ...time, goal: undefined } as never)]).toEqual([
      true,
      false,
      undefined,
    ]);
    const [, , first, second] = tableOf([{ ...ratio, control: [0.97, 1.04] }, time]).split('\n');
    expect(first).toMatch(/\| 0\.61 × +\| 0\.97–1\.04 +\| ≥ 0\.6 ×: met +\|/);
    expect(second).toMatch(/\| 11\.4 ms +\| +\| ≤ 10 ms: missed \|/);
  });
});
