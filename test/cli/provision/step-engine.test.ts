import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { PlatformError } from '../../../src/adobe/platform/platform-error.ts';
import { type Difference, type Step, StepFailure } from '../../../src/cli/provision/provision-step.ts';
import { StepError } from '../../../src/cli/provision/provision-stop.ts';
import { openState, type ProvisionState } from '../../../src/cli/provision/state-file.ts';
import { applySteps, planSteps, type StepResult } from '../../../src/cli/provision/step-engine.ts';

const TARGET = { destination: 'aep', imsOrgId: 'org@AdobeOrg', sandbox: 'dev' };

/** Stands for the end of the process. */
class Killed extends Error {}

function failure(error: Partial<PlatformError>): StepFailure {
  return new StepFailure({
    kind: 'invalid',
    call: 'POST /things',
    text: 'refused',
    ambiguous: false,
    ...error,
  });
}

/** A platform of named objects. Each call can be the last one of a process. */
function createWorld() {
  const objects: { id: string; name: string; madeAt: number; differences: string[] }[] = [];
  let time = 0;
  const world = {
    objects,
    calls: 0,
    writes: 0,
    /** The call that kills, and whether it has its effect first. */
    killAt: Number.POSITIVE_INFINITY,
    killAfterEffect: false,
    /** ms until a list shows an object. */
    lagMs: 0,
    /** Thrown by the next call of make, after its effect or without it. */
    next: [] as { error: StepFailure; landed: boolean }[],
    now: () => time,
    wait: async (ms: number) => {
      time += ms;
    },
    pass: (ms: number) => {
      time += ms;
    },
  };
  const call = <T>(effect: () => T): T => {
    world.calls += 1;
    time += 10;
    const isLast = world.calls === world.killAt;
    if (isLast && !world.killAfterEffect) throw new Killed();
    const result = effect();
    if (isLast) throw new Killed();
    return result;
  };
  const stepOf = (name: string, state: ProvisionState): Step => ({
    key: name,
    kind: 'dataset',
    name,
    look: async () => {
      const found = call(() => {
        const known = state.object(name)?.id;
        const byId = objects.find(({ id }) => id === known);
        return byId ?? objects.find((object) => object.name === name && object.madeAt + world.lagMs <= time);
      });
      if (found === undefined) return { state: 'absent' };
      const differences = found.differences.map(
        (what): Difference => ({
          what,
          change: async () => {
            call(() => {
              world.writes += 1;
              found.differences = found.differences.filter((other) => other !== what);
            });
          },
        }),
      );
      return { state: 'found', id: found.id, name, isOurs: true, differences };
    },
    make: async () =>
      call(() => {
        world.writes += 1;
        const fault = world.next.shift();
        const id = `${name}-${objects.length}`;
        if (fault === undefined || fault.landed) objects.push({ id, name, madeAt: time, differences: [] });
        if (fault !== undefined) throw fault.error;
        return id;
      }),
  });
  return { world, stepOf };
}

function stateFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'relay-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'relay.provision.json');
}

const NAMES = ['namespace', 'schema', 'dataset', 'flow'];

function setUp(file = stateFile()) {
  const { world, stepOf } = createWorld();
  const apply = async (): Promise<StepResult[]> => {
    const state = (await openState(file, world.now))(TARGET);
    const run = { state, ids: new Map<string, string>(), now: world.now, wait: world.wait };
    return applySteps(
      NAMES.map((name) => stepOf(name, state)),
      run,
      () => undefined,
    );
  };
  const plan = async (): Promise<StepResult[]> => {
    const state = (await openState(file, world.now))(TARGET);
    const steps = NAMES.map((name) => stepOf(name, state));
    return planSteps(steps, { state, ids: new Map() });
  };
  return { world, apply, plan, file };
}

function outcomes(results: readonly StepResult[]): string[] {
  return results.map(({ outcome }) => outcome);
}

describe('apply', () => {
  it('makes what is missing, and nothing the second time', async () => {
    const { world, apply, plan } = setUp();
    expect(outcomes(await plan())).toEqual(['make', 'make', 'make', 'make']);
    expect(world.writes).toBe(0);
    expect(outcomes(await apply())).toEqual(['made', 'made', 'made', 'made']);
    expect(outcomes(await apply())).toEqual(['found', 'found', 'found', 'found']);
    expect(outcomes(await plan())).toEqual(['found', 'found', 'found', 'found']);
    expect(world.writes).toBe(4);
  });

  it.each([
    ['before the call has its effect', false, 0],
    ['after it', true, 0],
    ['after it, where lists show an object seconds later', true, 3_000],
  ])('killed at every call, %s, and run again: one of each', async (_what, killAfterEffect, lagMs) => {
    const CALLS = 8;
    for (let killAt = 1; killAt <= CALLS; killAt += 1) {
      const { world, apply } = setUp();
      Object.assign(world, { killAt, killAfterEffect, lagMs });
      await expect(apply()).rejects.toThrow(Killed);
      await apply();
      expect(world.objects.map(({ name }) => name)).toEqual(NAMES);
    }
    const { world, apply } = setUp();
    await apply();
    expect(world.calls).toBe(CALLS);
  });

  it('looks again after an answer that was lost, before it makes another one', async () => {
    const { world, apply } = setUp();
    world.lagMs = 5_000;
    world.next.push({ error: failure({ kind: 'network', ambiguous: true }), landed: true });
    expect(outcomes(await apply())).toEqual(['made', 'made', 'made', 'made']);
    expect(world.objects.map(({ name }) => name)).toEqual(NAMES);
  });

  it('makes it once more if the lost request had no effect', async () => {
    const { world, apply } = setUp();
    world.next.push({ error: failure({ kind: 'unavailable', ambiguous: true }), landed: false });
    await apply();
    expect(world.objects.map(({ name }) => name)).toEqual(NAMES);
    expect(world.writes).toBe(5);
    expect(world.now()).toBeGreaterThan(15_000);
  });

  it('waits no longer for a lost answer if the clock is set back meanwhile', async () => {
    const { world, apply } = setUp();
    world.pass(86_400_000);
    world.killAt = 2;
    await expect(apply()).rejects.toThrow(Killed);
    world.pass(-86_400_000);
    world.killAt = Number.POSITIVE_INFINITY;
    const results = await apply();
    expect(outcomes(results)).toEqual(['made', 'made', 'made', 'made']);
    expect(world.now()).toBeLessThan(60_000);
  });

  it('gives up after three attempts, and says how to go on', async () => {
    const { world, apply } = setUp();
    const error = failure({ kind: 'unavailable', ambiguous: true });
    for (let times = 0; times < 3; times += 1) world.next.push({ error, landed: false });
    const stopped = await apply().catch((reason: unknown) => reason);
    expect(stopped).toBeInstanceOf(StepError);
    expect(stopped).toMatchObject({
      step: { key: 'namespace' },
      fix: expect.stringContaining('run the same command'),
    });
    expect(world.writes).toBe(3);
  });

  it('stops at a refusal at once, and does not wait for its object the next time', async () => {
    const { world, apply } = setUp();
    world.next.push({ error: failure({ kind: 'forbidden' }), landed: false });
    await expect(apply()).rejects.toThrow('POST /things → refused');
    const before = world.now();
    await apply();
    expect(world.now() - before).toBeLessThan(1_000);
  });

  it('takes a conflict as found if the object is there after all', async () => {
    const { world, apply } = setUp();
    world.next.push({ error: failure({ kind: 'conflict', status: 409 }), landed: true });
    await apply();
    expect(world.objects.map(({ name }) => name)).toEqual(NAMES);
  });

  it('changes what differs, one by one, and reports it', async () => {
    const { world, apply, plan } = setUp();
    await apply();
    world.objects[2]!.differences = ['a', 'b'];
    expect((await plan())[2]).toMatchObject({ outcome: 'change', details: ['a', 'b'], fixes: [] });
    expect((await apply())[2]).toMatchObject({ outcome: 'changed', details: ['a', 'b'] });
    expect(world.objects[2]!.differences).toEqual([]);
  });

  it('finds everything again by name without its state file', async () => {
    const { world, apply, file } = setUp();
    await apply();
    rmSync(file);
    expect(outcomes(await apply())).toEqual(['found', 'found', 'found', 'found']);
    expect(world.objects).toHaveLength(4);
  });

  it('makes an object again that was deleted', async () => {
    const { world, apply } = setUp();
    await apply();
    world.objects.splice(1, 1);
    expect(outcomes(await apply())).toEqual(['found', 'made', 'found', 'found']);
  });
});
