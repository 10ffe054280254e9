import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import type { PlatformClient } from '../../../src/adobe/platform/platform-client.ts';
import type { ConfigCompletion, MissingValue } from '../../../src/cli/provision/config-completion.ts';
import { openSession } from '../../../src/cli/provision/provision-session.ts';
import { applySteps, planSteps, type StepResult } from '../../../src/cli/provision/step-engine.ts';
import type { Sandbox } from '../../../src/simulator/adobe/platform/sandbox.ts';
import type { SimulatorOptions } from '../../../src/simulator/adobe/simulator-options.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

export type Destination = Record<string, unknown>;

/** What a run has found or done, and what the configuration lacks. */
export interface RunResult {
  readonly objects: readonly StepResult[];
  readonly configuration: ConfigCompletion;
}

export interface TwinRig {
  readonly simulator: Simulator;
  readonly sandbox: Sandbox;
  /** The configuration. */
  readonly file: string;
  readonly stateFile: string;
  /** Writes the configuration again with other keys of its destination; undefined removes one. */
  configure(keys: Destination): void;
  plan(): Promise<RunResult>;
  /** @param wrap puts something between the command and the platform */
  apply(wrap?: (client: PlatformClient) => PlatformClient): Promise<RunResult>;
  /** How many requests were no GET. */
  writes(): number;
}

const SANDBOX = 'dev';
/** Rules that never fire, and count the requests that they match. */
const WRITES = (['POST', 'PUT', 'PATCH', 'DELETE'] as const).map((method) => ({
  on: 'platform' as const,
  after: 1_000_000,
  match: { method },
  then: { status: 500 },
}));

/** A relay's configuration whose Adobe is a twin without objects. */
export async function setUpTwin(keys: Destination = {}, options: SimulatorOptions = {}): Promise<TwinRig> {
  let waitedMs = 0;
  /** A wait takes no time, and is over on the clocks of both sides. */
  const clock = {
    now: () => Date.now() + waitedMs,
    wait: async (ms: number) => {
      waitedMs += ms;
    },
  };
  const simulator = await startSimulator({ empty: true, faults: WRITES, now: clock.now, ...options });
  onTestFinished(() => simulator.close());
  const folder = mkdtempSync(join(tmpdir(), 'relay-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'relay.yaml');
  const stateFile = join(folder, 'relay.provision.json');
  const destination: Destination = {
    name: 'aep',
    imsOrgId: '1A2B3C4D5E6F7A8B0A495C12@AdobeOrg',
    sandbox: SANDBOX,
    ims: { url: simulator.imsUrl, clientId: 'client-1', clientSecrets: ['p8e-secret-of-client-1'] },
    platform: { url: simulator.platformUrl },
    profile: {},
    ...keys,
  };
  const configure = (changed: Destination): void => {
    Object.assign(destination, changed);
    const verify = [{ type: 'header', name: 'X-Relay-Key', values: ['s3cret-of-acme-in-tests'] }];
    const sources = [{ name: 'acme', destination: destination['name'], verify }];
    const kept = Object.fromEntries(Object.entries(destination).filter(([, value]) => value !== undefined));
    writeFileSync(file, stringify({ sources, destinations: [kept] }));
  };
  configure({});
  const sandbox = simulator.platform.sandbox(SANDBOX)!;

  const inSession = async (
    wrap: (client: PlatformClient) => PlatformClient,
    use: typeof planSteps | ((...args: Parameters<typeof planSteps>) => Promise<StepResult[]>),
  ): Promise<RunResult> => {
    const session = await openSession({ config: file }, false, { ...clock, onWait: () => undefined });
    try {
      const [target] = session.targets;
      const job = await session.job({ ...target!, client: wrap(target!.client) });
      const objects = await use(job.steps, job.run);
      return { objects, configuration: await job.complete() };
    } finally {
      await session.close();
    }
  };

  return {
    simulator,
    sandbox,
    file,
    stateFile,
    configure,
    plan: () => inSession((client) => client, planSteps),
    apply: (wrap = (client) => client) =>
      inSession(wrap, (steps, run) => applySteps(steps, run, () => undefined)),
    writes: () => simulator.faults().reduce((sum, { seen }) => sum + seen, 0),
  };
}

/** How many objects of each kind `provision` has made. */
export function countsOf(sandbox: Sandbox): Readonly<Record<string, number>> {
  return {
    namespaces: sandbox.namespaces.filter(({ custom }) => custom).length,
    fieldGroups: sandbox.fieldGroups.size,
    schemas: sandbox.schemas.size,
    datasets: sandbox.datasets.size,
    connections: sandbox.connections.size,
    sourceConnections: sandbox.sourceConnections.size,
    targetConnections: sandbox.targetConnections.size,
    mappingSets: sandbox.mappingSets.size,
    flows: sandbox.flows.size,
  };
}

/** `outcome kind` of each step, such as `made dataset`. */
export function linesOf({ objects }: RunResult): string[] {
  return objects.map(({ outcome, kind }) => `${outcome} ${kind}`);
}

/** The values as keys of the destination. */
export function keysOf(values: readonly MissingValue[]): Destination {
  const keys: Destination = {};
  for (const { key, value } of values) {
    const [first = '', second] = key.split('.');
    keys[first] = second === undefined ? value : { ...(keys[first] as object | undefined), [second]: value };
  }
  return keys;
}
