import { describe, expect, it } from 'vitest';
import { createRecentCache, createRecentSet } from '../../src/mapping/recent-cache.ts';

/** Requests texts one after the other. @returns those that were computed */
function computedFor(texts: readonly string[], size: number): readonly string[] {
  const cache = createRecentCache<string>(size);
  return texts.filter((text) => {
    let isComputed = false;
    expect(
      cache.get(text, () => {
        isComputed = true;
        return `of ${text}`;
      }),
    ).toBe(`of ${text}`);
    return isComputed;
  });
}

describe('the cache of recent results', () => {
  it('computes a result once', () => expect(computedFor(['a', 'b', 'a', 'b', 'a'], 2)).toEqual(['a', 'b']));

  it('keeps the last texts, and texts that are requested again and again', () =>
    expect(computedFor(['a', 'b', 'c', 'a', 'd', 'a', 'e', 'a'], 2)).toEqual(['a', 'b', 'c', 'd', 'e']));

  it('drops a text after requests for twice as many others', () =>
    expect(computedFor(['a', 'b', 'c', 'd', 'e', 'a'], 2)).toEqual(['a', 'b', 'c', 'd', 'e', 'a']));
});

describe('the set of recent values', () => {
  it('has at least the last values and at most twice as many', () => {
    const values = createRecentSet<string>(2);
    for (const value of ['a', 'b', 'c', 'd', 'e']) values.add(value);
    expect(['a', 'b', 'c', 'd', 'e', 'f'].filter((value) => values.has(value))).toEqual(['c', 'd', 'e']);
  });
});
