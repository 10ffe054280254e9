import { describe, expect, it } from 'vitest';
import { identityKey, queueKey } from '../../src/journal/sqlite/index-keys.ts';

const LANE = 'a'.repeat(64);

describe('the keys of the buffered indexes', () => {
  it('are what stores of this format hold', () => {
    expect(identityKey(Buffer.from('0123456789abcdef'.repeat(4), 'hex'))).toBe(0x01_23_45_67_89_ab);
    expect(queueKey('aep', LANE, 0)).toBe(88_779_306_182_550);
    expect(queueKey('aep', LANE, 1)).toBe(49_243_129_600_340);
    expect(queueKey('other', LANE, 0)).toBe(260_399_645_974_811);
  });

  it('tell lanes apart that differ in one digit', () => {
    const lanes = Array.from({ length: 64 * 15 }, (_, n) => {
      const at = n % 64;
      return `${LANE.slice(0, at)}${'0123456789bcdef'[Math.floor(n / 64)]}${LANE.slice(at + 1)}`;
    });
    const keys = lanes.map((lane) => queueKey('aep', lane, 0));
    expect(new Set(keys).size).toBe(lanes.length);
    expect(keys.every((key) => Number.isInteger(key) && key >= 0 && key < 2 ** 48)).toBe(true);
  });
});
