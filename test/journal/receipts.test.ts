import { afterEach, describe, expect, it, vi } from 'vitest';
import { newReceipt } from '../../src/journal/receipts.ts';

const UUID_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u;

afterEach(() => {
  vi.useRealTimers();
});

describe('a receipt', () => {
  it('is a version 7 UUID of the current time', () => {
    const receipt = newReceipt();
    expect(receipt).toMatch(UUID_7);
    const at = Number.parseInt(receipt.replace('-', '').slice(0, 12), 16);
    expect(Math.abs(at - Date.now())).toBeLessThan(10_000);
  });

  it('is unique and greater than the one before, however many there are', () => {
    const receipts = Array.from({ length: 5_000 }, newReceipt);
    expect(new Set(receipts).size).toBe(receipts.length);
    expect(receipts.toSorted()).toEqual(receipts);
    // No random part is used twice.
    expect(new Set(receipts.map((receipt) => receipt.slice(-12))).size).toBe(receipts.length);
  });

  it('is greater than the one before, even after the clock was set back', () => {
    vi.useFakeTimers();
    vi.setSystemTime(Date.now() + 60_000);
    const before = newReceipt();
    vi.setSystemTime(Date.now() - 120_000);
    expect(newReceipt() > before).toBe(true);
  });
});
