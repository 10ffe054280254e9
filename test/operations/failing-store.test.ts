import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { discardQuarantined, releaseQuarantined } from '../../src/operations/quarantine-actions.ts';
import { replayDeadLetters } from '../../src/operations/dead-letter-actions.ts';
import { replayEvent } from '../../src/operations/event-replay.ts';
import { type Journal, StoreError } from '../../src/journal/journal.ts';
import { type AdminRig, ledgerOf, source, startAdminRig } from '../admin/admin-rig.ts';
import { transactionAdded } from '../fixtures/events.ts';

let rig: AdminRig;
beforeEach(async () => {
  rig = await startAdminRig([source('acme', { orgIds: [1] })]);
});
afterEach(() => rig.close());

/** The same journal, with a method that fails after its first `times` calls. */
function failing(name: 'append' | 'promote' | 'removeQuarantined', times: number): Journal {
  let calls = 0;
  const call = (...args: unknown[]): Promise<unknown> => {
    calls += 1;
    if (calls > times) return Promise.reject(new StoreError('disk full'));
    return (rig.journal[name] as (...all: unknown[]) => Promise<unknown>)(...args);
  };
  return { ...rig.journal, [name]: call };
}

async function malformed(count: number) {
  for (let index = 0; index < count; index += 1) {
    await rig.webhook('acme', { ...transactionAdded(index), orgId: 2 });
  }
}
async function refuse(count: number) {
  for (let index = 0; index < count; index += 1) {
    await rig.webhook('acme', { ...transactionAdded(index), orgId: 1 }, { 'x-relay-key': 'new' });
  }
  rig.sources.set([source('acme', { verify: [{ type: 'none' }] })]);
}
function parts(journal: Journal) {
  return { journal, sources: rig.sources, bodyLimit: 1_048_576, now: () => rig.state.now };
}
const request = { filter: {}, asNew: false, by: 'admin', dryRun: false };

describe('a store that fails midway', () => {
  it('does not undo promotions, and the next replay completes them', async () => {
    await malformed(50);
    rig.sources.set([source('acme')]);
    await expect(replayDeadLetters(parts(failing('promote', 30)), request)).rejects.toThrow(StoreError);
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 30, malformed: 20 });
    expect(await replayDeadLetters(parts(rig.journal), request)).toMatchObject({ replayed: 20 });
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 50, malformed: 0 });
  });

  it('leaves requests that were not accepted in quarantine, and the next release completes it', async () => {
    await refuse(10);
    await expect(releaseQuarantined(parts(failing('append', 4)), request)).rejects.toThrow(StoreError);
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 4, quarantined: 6 });
    expect(await releaseQuarantined(parts(rig.journal), request)).toMatchObject({
      released: 6,
      duplicates: 0,
    });
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 10, quarantined: 0 });
  });

  it('loses and duplicates nothing if it fails between journaling and removing', async () => {
    await refuse(3);
    await expect(releaseQuarantined(parts(failing('removeQuarantined', 0)), request)).rejects.toThrow(
      StoreError,
    );
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 3, quarantined: 3 });
    expect(await releaseQuarantined(parts(rig.journal), request)).toMatchObject({
      released: 3,
      duplicates: 3,
    });
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 3, quarantined: 0 });
  });

  it('discards the rest at the next call', async () => {
    await refuse(60);
    await expect(discardQuarantined(parts(failing('removeQuarantined', 1)), request)).rejects.toThrow(
      StoreError,
    );
    expect(await ledgerOf(rig)).toMatchObject({ quarantined: 10 });
    expect(await discardQuarantined(parts(rig.journal), request)).toMatchObject({
      matched: 10,
      discarded: 10,
    });
  });

  it('makes the admin API answer 503 with Retry-After', async () => {
    const failure = vi.spyOn(rig.journal, 'count').mockRejectedValue(new StoreError('secret path'));
    const answer = await rig.post('/admin/v1/dead-letters/replay', { filter: {}, all: true });
    failure.mockRestore();
    expect(answer).toMatchObject({ status: 503, body: { code: 'store-failing' } });
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(JSON.stringify(answer.body)).not.toContain('secret');
  });
});

describe('two operators at once', () => {
  it('promote each malformed body only once', async () => {
    await malformed(25);
    rig.sources.set([source('acme')]);
    const both = await Promise.all([
      replayDeadLetters(parts(rig.journal), request),
      replayDeadLetters(parts(rig.journal), request),
    ]);
    expect(both[0].replayed + both[1].replayed).toBe(25);
    expect(both[0].duplicates + both[1].duplicates).toBe(0);
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 25, pending: 25, malformed: 0 });
  });

  it('release each quarantined request only once', async () => {
    await refuse(25);
    await Promise.all([
      releaseQuarantined(parts(rig.journal), request),
      releaseQuarantined(parts(rig.journal), request),
    ]);
    expect(await ledgerOf(rig)).toMatchObject({ accepted: 25, pending: 25, quarantined: 0 });
  });

  it('get an error if the other one was faster', async () => {
    const { receipt } = (await rig.webhook('acme', { ...transactionAdded(1), orgId: 1 })).body;
    await rig.moveToDeadLetters();
    const record = (await rig.journal.find(receipt))!;
    expect(await replayEvent(parts(rig.journal), record, request)).toEqual({
      ok: true,
      receipt,
      duplicate: false,
    });
    expect(await replayEvent(parts(rig.journal), record, request)).toMatchObject({
      ok: false,
      detail: expect.stringContaining('meantime'),
    });
  });
});
