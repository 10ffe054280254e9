import { fastify, type FastifyInstance } from 'fastify';
import { registerControl } from './adobe/control-api.ts';
import { type FaultRuleInput, type FaultState, parseFaultRules } from './adobe/fault-script.ts';
import type { Identity } from './adobe/record-identity.ts';
import { registerIms } from './adobe/ims.ts';
import { registerInlet } from './adobe/inlet.ts';
import type { LandedFilter, LandedRecord } from './adobe/landed-store.ts';
import type { ProfileRecord } from './adobe/profile-view.ts';
import { type SimulatorOptions, settle } from './adobe/simulator-options.ts';
import { createSimulatorState, type SimulatorState, type SimulatorStats } from './adobe/simulator-state.ts';

/** The inlet that exists when nobody says which: 64 hex, as real ones have. */
export const DEFAULT_INLET_ID = 'c0ffee00'.repeat(8);

/** Far above the inlet's own limit, so that a body too large gets Adobe's 413 and not a cut connection. */
const BODY_LIMIT = 32 * 1_048_576;

/** An Adobe on loopback: an IMS and a streaming inlet, and what landed in it. */
export interface Simulator {
  /** Without a slash at the end. */
  readonly url: string;
  readonly imsUrl: string;
  /** URL of the single endpoint, as AEP shows it. */
  inletUrl(inletId?: string): string;
  landed(filter?: LandedFilter): LandedRecord[];
  profile(identity: Identity): ProfileRecord | undefined;
  stats(): SimulatorStats;
  /** Replaces the script of faults; throws FaultRuleError. */
  setFaults(rules: readonly FaultRuleInput[]): void;
  faults(): FaultState[];
  /** Every token is refused from now on; gives how many were alive. */
  revokeTokens(): number;
  /** Forgets what landed and every count; tokens and faults stay. */
  reset(): void;
  /** Resolves with the first counts that satisfy; rejects when the signal aborts. */
  until(isSatisfied: (stats: SimulatorStats) => boolean, signal?: AbortSignal): Promise<SimulatorStats>;
  close(): Promise<void>;
}

function createApp(state: SimulatorState): FastifyInstance {
  const app = fastify({ bodyLimit: BODY_LIMIT, forceCloseConnections: true });
  // Every body arrives as it was sent: what is wrong with it is for the routes to say, in Adobe's words.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  registerIms(app, state);
  registerInlet(app, state);
  registerControl(app, state);
  return app;
}

function until(
  state: SimulatorState,
  isSatisfied: (stats: SimulatorStats) => boolean,
  signal: AbortSignal | undefined,
): Promise<SimulatorStats> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      state.changes.off('change', look);
      signal?.removeEventListener('abort', abort);
    };
    const abort = (): void => {
      stop();
      reject(signal?.reason as Error);
    };
    const look = (): void => {
      const stats = state.stats();
      if (!isSatisfied(stats)) return;
      stop();
      resolve(stats);
    };
    signal?.addEventListener('abort', abort);
    state.changes.on('change', look);
    if (signal?.aborted) abort();
    else look();
  });
}

/** Starts the simulator and resolves when it listens. Throws FaultRuleError for bad faults, and what listening throws. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const state = createSimulatorState(settle(options));
  const app = createApp(state);
  const { host, port } = state.settings;
  const url = await app.listen({ host, port });
  return {
    url,
    imsUrl: `${url}/ims/token/v3`,
    inletUrl: (inletId = state.settings.inlets?.[0]?.id ?? DEFAULT_INLET_ID) =>
      `${url}/collection/${inletId}`,
    landed: (filter) => state.landed.list(filter),
    profile: (identity) => state.profiles.get(identity),
    stats: () => state.stats(),
    setFaults: (rules) => state.faults.set(parseFaultRules(rules)),
    faults: () => state.faults.list(),
    revokeTokens: () => state.tokens.revoke(),
    reset: () => state.reset(),
    until: (isSatisfied, signal) => until(state, isSatisfied, signal),
    close: () => app.close(),
  };
}
