import { fastify, type FastifyInstance } from 'fastify';
import type { BatchNotifications } from './adobe/batch-notifications.ts';
import { registerControl } from './adobe/control-api.ts';
import { type FaultRuleInput, type FaultState, parseFaultRules } from './adobe/fault-script.ts';
import { registerIms } from './adobe/ims.ts';
import { registerInlet } from './adobe/inlet.ts';
import { registerPlatform } from './adobe/platform/platform-routes.ts';
import type { PlatformState } from './adobe/platform/platform-state.ts';
import type { LandedFilter, LandedRecord } from './adobe/landed-store.ts';
import type { ProfileRecord } from './adobe/profile-view.ts';
import type { Identity } from './adobe/record-identity.ts';
import { resolveOptions, type SimulatorOptions } from './adobe/simulator-options.ts';
import { createSimulatorState, type SimulatorState, type SimulatorStats } from './adobe/simulator-state.ts';
import { registerCapillary } from './capillary/api/api-gateway.ts';
import { CAPILLARY_ROUTES } from './capillary/api/capillary-routes.ts';
import type { CapillaryTwin } from './capillary/api/capillary-twin.ts';

/** The inlet id if none is configured: 64 hex digits, as real ones have. */
export const DEFAULT_INLET_ID = 'c0ffee00'.repeat(8);

/**
 * Far above the inlet's limit, so that a larger body gets Adobe's 413 instead of a closed
 * connection.
 */
const MAX_BODY_BYTES = 32 * 1_048_576;

/** A `$id` of the schema registry, URL-encoded. */
const MAX_PARAM_CHARS = 500;

/**
 * A simulated Adobe on loopback (IMS, streaming inlet, platform API, the records that landed), and
 * the REST API of a simulated Capillary.
 */
export interface Simulator {
  /** Without a trailing slash. */
  readonly url: string;
  readonly imsUrl: string;
  /** The base URL of the platform API, without a trailing slash. */
  readonly platformUrl: string;
  /** The objects that the platform API made. */
  readonly platform: PlatformState;
  /** Base URL of Capillary's REST API. */
  readonly capillaryUrl: string;
  readonly capillary: CapillaryTwin;
  /** URL of the single endpoint, in the form that AEP shows. */
  inletUrl(inletId?: string): string;
  landed(filter?: LandedFilter): LandedRecord[];
  /** What is in the data lake, the oldest first; of all datasets without an id. */
  lake(datasetId?: string): LandedRecord[];
  profile(identity: Identity): ProfileRecord | undefined;
  stats(): SimulatorStats;
  /** Signed reports about batches; see docs/simulator.md. */
  readonly notifications: Pick<BatchNotifications, 'set' | 'signatureOf' | 'sent'>;
  /** Replaces the faults. @throws FaultRuleError */
  setFaults(rules: readonly FaultRuleInput[]): void;
  faults(): FaultState[];
  /** Invalidates every token issued so far and returns how many were valid. */
  revokeTokens(): number;
  /** Clears records and counts, and the platform's objects too if asked; tokens and faults stay. */
  reset(objects?: boolean): void;
  /** Resolves with the first counts that satisfy the condition; rejects if the signal aborts. */
  until(isSatisfied: (stats: SimulatorStats) => boolean, signal?: AbortSignal): Promise<SimulatorStats>;
  close(): Promise<void>;
}

function createApp(state: SimulatorState): FastifyInstance {
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: MAX_PARAM_CHARS },
  });
  // Bodies are not parsed here: the routes answer an invalid one as Adobe does.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  registerIms(app, state);
  registerInlet(app, state);
  registerPlatform(app, state);
  registerControl(app, state);
  registerCapillary(app, state, CAPILLARY_ROUTES);
  return app;
}

function until(
  state: SimulatorState,
  isSatisfied: (stats: SimulatorStats) => boolean,
  signal: AbortSignal | undefined,
): Promise<SimulatorStats> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      state.changes.off('change', check);
      signal?.removeEventListener('abort', abort);
    };
    const abort = (): void => {
      stop();
      reject(signal?.reason as Error);
    };
    const check = (): void => {
      const stats = state.stats();
      if (!isSatisfied(stats)) return;
      stop();
      resolve(stats);
    };
    signal?.addEventListener('abort', abort);
    state.changes.on('change', check);
    if (signal?.aborted) abort();
    else check();
  });
}

/**
 * Starts the simulator and resolves when it listens.
 *
 * @throws FaultRuleError if a fault is invalid
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const state = createSimulatorState(resolveOptions(options));
  const app = createApp(state);
  const { host, port } = state.settings;
  const url = await app.listen({ host, port });
  return {
    url,
    imsUrl: `${url}/ims/token/v3`,
    platformUrl: url,
    platform: state.platform,
    capillaryUrl: url,
    capillary: state.capillary,
    inletUrl: (inletId = state.settings.inlets?.[0]?.id ?? DEFAULT_INLET_ID) =>
      `${url}/collection/${inletId}`,
    landed: (filter) => state.landed.list(filter),
    lake: (datasetId) =>
      state.landed.list({ inLake: true, ...(datasetId === undefined ? {} : { datasetId }) }),
    profile: (identity) => state.profiles.get(identity),
    stats: () => state.stats(),
    notifications: state.notifications,
    setFaults: (rules) => state.faults.set(parseFaultRules(rules)),
    faults: () => state.faults.list(),
    revokeTokens: () => state.tokens.revoke(),
    reset: (objects) => state.reset(objects),
    until: (isSatisfied, signal) => until(state, isSatisfied, signal),
    close: async () => {
      await state.capillary.close();
      await app.close();
      state.ingestion.close();
      await state.notifications.close();
    },
  };
}
