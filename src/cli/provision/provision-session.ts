import { type Command, Option } from 'commander';
import type { PlatformError } from '../../adobe/platform/platform-error.ts';
import type { LoadedConfig } from '../../config/load-config.ts';
import { configOption, loadForProvision } from '../command-config.ts';
import { CONFIGURED } from '../completion/configured-names.ts';
import { suggestValues } from '../completion/suggested-values.ts';
import { formatDuration } from '../time-format.ts';
import { type ConfigCompletion, completeConfig } from './config-completion.ts';
import { foreignSchemas, provisionSteps } from './provision-steps.ts';
import { registryFacts } from './registry-lookup.ts';
import type { Step } from './provision-step.ts';
import { openTargets, type ProvisionTarget } from './provision-target.ts';
import { openState, statePath } from './state-file.ts';
import { lockState } from './state-lock.ts';
import type { StepContext } from './step-context.ts';
import type { StepRun } from './step-engine.ts';

export interface ProvisionOptions {
  readonly config: string;
  readonly destination?: string;
  readonly state?: string;
  readonly json?: boolean;
}

/** Adds the options of `plan` and `apply`. */
export function withProvisionOptions(command: Command): Command {
  return command
    .addOption(configOption())
    .addOption(
      suggestValues(new Option('--destination <name>', 'only this destination'), CONFIGURED.destinations),
    )
    .option('--state <file>', 'state file with the ids (default: <configuration>.provision.json)');
}

/** One destination, ready to be planned or applied. */
export interface ProvisionJob {
  readonly target: ProvisionTarget;
  readonly run: StepRun;
  readonly steps: readonly Step[];
  /** What the configuration lacks, once the steps have run. */
  complete(): Promise<ConfigCompletion>;
}

/** The configuration with its destinations. */
export interface ProvisionSession {
  readonly loaded: LoadedConfig;
  readonly stateFile: string;
  readonly targets: readonly ProvisionTarget[];
  /** @throws StepFailure */
  job(target: ProvisionTarget): Promise<ProvisionJob>;
  close(): Promise<void>;
}

/** Of a test, which does not wait. */
export interface SessionHooks {
  /** Epoch ms. */
  readonly now?: () => number;
  readonly wait?: (ms: number) => Promise<void>;
  readonly onWait?: (ms: number, error: PlatformError) => void;
}

function showWait(ms: number, { call, status, code }: PlatformError): void {
  const why = [status, code].filter((part) => part !== undefined).join(' ');
  console.error(`waiting ${formatDuration(ms)}: ${call} → ${why}`);
}

/**
 * @param isWriting locks the state file until the session is closed, before it is read: what
 *   another run writes meanwhile would be lost
 * @throws ConfigError, and CommandError for an unknown destination, an unreadable state file, or
 *   one that another run has locked
 */
export async function openSession(
  options: ProvisionOptions,
  isWriting: boolean,
  hooks: SessionHooks = options.json === true ? {} : { onWait: showWait },
): Promise<ProvisionSession> {
  const { loaded, missing } = await loadForProvision(options.config, { otherSide: 'capillary' });
  const stateFile = options.state ?? statePath(options.config);
  const unlock = isWriting ? await lockState(stateFile) : undefined;
  try {
    const stateOf = await openState(stateFile, hooks.now);
    const targets = openTargets(loaded, missing, options.destination, hooks);
    return {
      loaded,
      stateFile,
      targets,
      job: (target) => openJob(target, loaded, stateOf, hooks),
      close: async () => {
        await Promise.all(targets.map((target) => target.close()));
        await unlock?.();
      },
    };
  } catch (error) {
    await unlock?.();
    throw error;
  }
}

async function openJob(
  target: ProvisionTarget,
  { config: { sources } }: LoadedConfig,
  stateOf: Awaited<ReturnType<typeof openState>>,
  { now, wait }: SessionHooks,
): Promise<ProvisionJob> {
  const { destination, client, missing } = target;
  const { name, imsOrgId, sandbox } = destination;
  const state = stateOf({ destination: name, imsOrgId, sandbox });
  const ids = new Map<string, string>();
  const context: StepContext = { client, destination, sources, missing, state, ids };
  const facts = registryFacts(context);
  const foreign = await foreignSchemas(context);
  return {
    target,
    run: { state, ids, ...(now === undefined ? {} : { now }), ...(wait === undefined ? {} : { wait }) },
    steps: provisionSteps(context, facts, foreign),
    complete: () => completeConfig(context, facts, foreign),
  };
}
