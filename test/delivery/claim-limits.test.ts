import { expect, it } from 'vitest';
import { freeRoom } from '../../src/delivery/claim-limits.ts';

const MIB = 1_048_576;
const IDLE = { waiting: 0, started: 0, bytes: 0, waits: { events: 0, bytes: 0 } };

it('an event in flight takes a place, one that waits for its enrichment takes none', () => {
  expect(freeRoom(IDLE, 400)).toEqual({ events: 400, bytes: 64 * MIB });
  expect(freeRoom({ ...IDLE, started: 100, waiting: 20 }, 400)?.events).toBe(280);
  expect(freeRoom({ ...IDLE, started: 100, waits: { events: 90, bytes: 0 } }, 400)?.events).toBe(390);
  expect(freeRoom({ ...IDLE, started: 301 }, 400)).toBeUndefined();
  expect(freeRoom({ ...IDLE, started: 390, waits: { events: 390, bytes: 0 } }, 400)?.events).toBe(400);
});

it('so many events may wait, and so many bytes, and then they count as in flight', () => {
  const many = { ...IDLE, started: 1_350, waits: { events: 1_350, bytes: 0 } };
  expect(freeRoom(many, 400)).toBeUndefined();
  const large = (mib: number) => ({ ...IDLE, bytes: mib * MIB, waits: { events: 1, bytes: mib * MIB } });
  expect(freeRoom(large(16), 400)?.bytes).toBe(64 * MIB);
  expect(freeRoom(large(60), 400)?.bytes).toBe(20 * MIB);
  expect(freeRoom(large(65), 400)).toBeUndefined();
});

it('nothing is claimed while many events wait to be mapped', () => {
  expect(freeRoom({ ...IDLE, waiting: 129, started: 0 }, 4_096)).toBeUndefined();
});
