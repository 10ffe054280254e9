import { describe, expect, it } from 'vitest';
import { createRecent } from '../../src/mapping/recent.ts';

/** Asks for texts one after the other. @returns those that had to be made */
const madeFor = (texts: readonly string[], most: number): readonly string[] => {
  const recent = createRecent<string>(most);
  return texts.filter((text) => {
    let isMade = false;
    expect(
      recent.get(text, () => {
        isMade = true;
        return `of ${text}`;
      }),
    ).toBe(`of ${text}`);
    return isMade;
  });
};

describe('what was worked out of late', () => {
  it('is worked out once', () => expect(madeFor(['a', 'b', 'a', 'b', 'a'], 2)).toEqual(['a', 'b']));

  it('keeps the last texts, and those in use for as long as they are', () =>
    expect(madeFor(['a', 'b', 'c', 'a', 'd', 'a', 'e', 'a'], 2)).toEqual(['a', 'b', 'c', 'd', 'e']));

  it('forgets what was not asked for while as many others were, twice over', () =>
    expect(madeFor(['a', 'b', 'c', 'd', 'e', 'a'], 2)).toEqual(['a', 'b', 'c', 'd', 'e', 'a']));

  it('keeps what is undefined too', () => {
    const recent = createRecent<undefined>(1);
    let made = 0;
    const make = (): undefined => void (made += 1);
    recent.get('a', make);
    recent.get('a', make);

    expect(made).toBe(1);
  });
});
