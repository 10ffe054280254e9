import { describe, expect, test } from 'vitest';
import type { ApiAnswer } from '../../src/capillary/api/api-answer.ts';
import type { ApiErrorKind } from '../../src/capillary/api/api-errors.ts';
import { anEvent, startEnricher, type RigOptions } from './enrich-rig.ts';

const FOUND: ApiAnswer = { ok: true, status: 200, body: {}, warnings: [], at: 0 };

function failed(kind: ApiErrorKind, more: { readonly retryAfterMs?: number } = {}): ApiAnswer {
  return { ok: false, error: { kind, call: 'GET /log', text: '', ambiguous: false, ...more } };
}

/** An enricher, and a client in its background that gets these answers, then successes. */
function withBackground(answers: readonly ApiAnswer[] = [], options: RigOptions = {}) {
  const rig = startEnricher(options);
  const made: number[] = [];
  const client = rig.enricher.inBackground({
    get: async () => {
      made.push(rig.clock.monotonic());
      return answers[made.length - 1] ?? FOUND;
    },
  });
  const watched: { answer?: ApiAnswer; error?: unknown } = {};
  const watch = async (signal?: AbortSignal): Promise<void> => {
    try {
      watched.answer = await client.get('/log', signal === undefined ? {} : { signal });
    } catch (error) {
      watched.error = error;
    }
  };
  const get = (signal?: AbortSignal) => {
    void watch(signal);
    return watched;
  };
  return { ...rig, made, get };
}

describe('a call in the background of enrichment', () => {
  test('waits until no event needs a call', async () => {
    const { watch, get, clock, calls, made } = withBackground([], { callsPerMinute: 60 });
    for (let id = 1; id <= 40; id += 1) watch(anEvent('pointsIssued', {}, String(id)));
    await clock.advance(4_000);
    const watched = get();
    await clock.advance(120_000);
    expect(watched.answer).toEqual(FOUND);
    const last = Math.max(...calls.filter(({ endpoint }) => endpoint === 'customer').map(({ at }) => at));
    expect(made).toHaveLength(1);
    expect(made[0]).toBeGreaterThan(last);
  });

  test('is counted: no minute has more calls than allowed', async () => {
    const { get, clock, made, calls } = withBackground([], { callsPerMinute: 20 });
    for (let call = 0; call < 60; call += 1) get();
    await clock.advance(120_000);
    const all = [...made, ...calls.map(({ at }) => at)];
    for (const start of all)
      expect(all.filter((at) => at >= start && at < start + 60_000).length).toBeLessThanOrEqual(20);
    expect(made.length).toBeGreaterThan(30);
  });

  test('is repeated after a 429, for which all calls pause', async () => {
    const { get, watch, clock, made, calls } = withBackground([
      failed('throttled', { retryAfterMs: 10_000 }),
    ]);
    const watched = get();
    await clock.advance(1_000);
    watch(anEvent('pointsIssued', {}, '7'));
    await clock.advance(8_000);
    expect(made).toHaveLength(1);
    expect(calls.filter(({ endpoint }) => endpoint === 'customer')).toEqual([]);
    await clock.advance(10_000);
    expect(watched.answer).toEqual(FOUND);
    expect(calls.some(({ endpoint }) => endpoint === 'customer')).toBe(true);
  });

  test('gives up after its attempts, without opening the circuit', async () => {
    const { get, clock, made, circuit } = withBackground(Array(20).fill(failed('unavailable')));
    const watched = get();
    await clock.advance(120_000);
    expect(watched.answer).toMatchObject({ error: { kind: 'unavailable' } });
    expect(made).toHaveLength(5);
    expect(circuit).toEqual([]);
  });

  test('is not repeated if it was refused', async () => {
    const { get, clock, made } = withBackground([failed('forbidden')]);
    const watched = get();
    await clock.advance(60_000);
    expect(watched.answer).toMatchObject({ error: { kind: 'forbidden' } });
    expect(made).toHaveLength(1);
  });

  test('is not made while enrichment cannot call either', async () => {
    const { api, watch, get, clock, made, circuit } = withBackground();
    api.customer = () => ({
      ok: false,
      error: { kind: 'unauthorized', call: 'GET /v2/customers/{id}', text: '', ambiguous: false },
    });
    watch(anEvent('pointsIssued', {}, '7'));
    await clock.advance(4_000);
    expect(circuit.at(-1)).toMatchObject({ state: 'open' });
    const watched = get();
    await clock.advance(100);
    expect(watched.answer).toMatchObject({ error: { kind: 'unavailable' } });
    expect(made).toEqual([]);
  });

  test('ends with its signal while it waits', async () => {
    const { watch, get, clock, made } = withBackground([], { callsPerMinute: 1 });
    for (let id = 1; id <= 5; id += 1) watch(anEvent('pointsIssued', {}, String(id)));
    const ending = new AbortController();
    await clock.advance(4_000);
    const watched = get(ending.signal);
    await clock.advance(1_000);
    ending.abort(new Error('enough'));
    await clock.advance(1_000);
    expect(watched.error).toEqual(new Error('enough'));
    expect(made).toEqual([]);
  });
});
