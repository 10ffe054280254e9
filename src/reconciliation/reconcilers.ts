import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Config, DestinationConfig, SourceConfig } from '../config/config-schema.ts';
import type { Landings } from '../journal/landings.ts';
import { createReconcileLoop, LOOK_MS, type ReconcileLoop } from './reconcile-loop.ts';
import type { Reconciler, ReconciliationObserver, RunRequest } from './reconcile-run.ts';
import type {
  DestinationReconciliation,
  ReconciliationReport,
  SourceReconciliation,
} from './reconciliation-report.ts';
import { createRunRequests, type RequestedRun, type RunTarget } from './run-requests.ts';

type ReconciledConfig = Pick<Config, 'sources' | 'destinations'>;

export interface ReconcilersParts {
  readonly config: ReconciledConfig;
  readonly journal: Pick<Landings, 'reconciliationNotes' | 'saveReconciliationNotes'>;
  /** Only the leader of the replicas runs. */
  readonly isLeader: () => boolean;
  /** Of a source with `reconcile`, `api` and `webhook`. */
  readonly createSource: (source: SourceConfig) => Reconciler<SourceReconciliation>;
  /** Of a destination with `reconcile` and `ims`. `sources`: those that feed it. */
  readonly createDestination: (
    destination: DestinationConfig,
    sources: readonly SourceConfig[],
  ) => Reconciler<DestinationReconciliation>;
  readonly observer: Pick<ReconciliationObserver, 'errorCaught'>;
  /** Epoch ms. */
  readonly now: () => number;
  /** Between two looks for runs that operators ask for. */
  readonly lookMs?: number;
}

/** The reconcilers of all sources and destinations that have `reconcile`. */
export interface Reconcilers {
  /** In the order of the configuration. */
  readonly targets: readonly RunTarget[];
  /** From the journal: the same in every replica, apart from the state `running`. */
  report(): Promise<ReconciliationReport>;
  /** Runs that operators asked for, the newest first. */
  runs(): Promise<readonly RequestedRun[]>;
  /**
   * Asks the leader for a run of these targets; it begins within seconds.
   * @returns its id; undefined while too many runs have not ended
   */
  request(
    request: RunRequest & { readonly by: string },
    targets: readonly RunTarget[],
  ): Promise<string | undefined>;
  start(): void;
  /**
   * Puts another configuration into use at once. A run that it concerns ends, and its successor
   * goes on with it.
   * @returns closes what is not used any more
   */
  set(config: ReconciledConfig): () => Promise<void>;
  /** Ends runs and calls. Idempotent. */
  stop(): Promise<void>;
}

interface Running<Report> extends RunTarget {
  /** What it depends on. */
  readonly aspects: object;
  readonly reconciler: Reconciler<Report>;
  readonly loop: ReconcileLoop;
}

/** Who may send does not concern what is read from the log. */
function aspectsOfSource({
  verify: _verify,
  allowFrom: _from,
  unverified: _kept,
  ...rest
}: SourceConfig): object {
  return rest;
}

/** The pace of delivery does not concern it. A token source takes other secrets by itself. */
function aspectsOfDestination(
  { batch: _batch, limits: _limits, retry: _retry, ...rest }: DestinationConfig,
  sources: readonly SourceConfig[],
): object {
  const { authenticated, ims } = rest;
  const credential = authenticated && ims !== undefined ? { ...ims, clientSecrets: [] } : ims;
  return { ...rest, ims: credential, sources: sources.map(aspectsOfSource) };
}

async function closeOne({ loop, reconciler }: Running<unknown>): Promise<void> {
  await loop.stop();
  await reconciler.close();
}

export function createReconcilers(parts: ReconcilersParts): Reconcilers {
  const { journal, isLeader, observer, now, lookMs = LOOK_MS } = parts;
  const requests = createRunRequests(journal, now);
  const stopping = new AbortController();
  let isStarted = false;
  let sources: readonly Running<SourceReconciliation>[] = [];
  let destinations: readonly Running<DestinationReconciliation>[] = [];
  let looking: Promise<void> | undefined;

  const all = (): readonly Running<unknown>[] => [...sources, ...destinations];

  const run = <Report>(
    target: RunTarget,
    aspects: object,
    before: readonly Running<Report>[],
    create: () => Reconciler<Report>,
  ): Running<Report> => {
    const { side, name } = target;
    const old = before.find((one) => one.name === name);
    if (old !== undefined && isDeepStrictEqual(old.aspects, aspects)) return old;
    const reconciler = create();
    const loop = createReconcileLoop({
      reconciler,
      isLeader,
      requests,
      onError: (error) => observer.errorCaught(name, 'a reconciliation ended; it will be repeated', error),
      lookMs,
    });
    // What a run has stored last is read by the next one, so two of them never run at once.
    if (isStarted) void (old?.loop.stop() ?? Promise.resolve()).then(() => loop.start());
    return { side, name, aspects, reconciler, loop };
  };

  const set: Reconcilers['set'] = (config) => {
    const before = all();
    const oldSources = sources;
    const oldDestinations = destinations;
    sources = config.sources
      .filter(({ reconcile, api, webhook }) => reconcile && api && webhook)
      .map((source) =>
        run({ side: 'capillary', name: source.name }, aspectsOfSource(source), oldSources, () =>
          parts.createSource(source),
        ),
      );
    destinations = config.destinations
      .filter(({ reconcile, ims }) => reconcile && ims)
      .map((destination) => {
        const feeding = config.sources.filter((source) => source.destination === destination.name);
        const aspects = aspectsOfDestination(destination, feeding);
        return run({ side: 'aep', name: destination.name }, aspects, oldDestinations, () =>
          parts.createDestination(destination, feeding),
        );
      });
    const isUsed = new Set(all());
    const replaced = before.filter((old) => !isUsed.has(old));
    return async () => {
      await Promise.all(replaced.map(closeOne));
    };
  };

  /** Gives the loops what operators asked for. */
  const lookOnce = async (): Promise<void> => {
    for (const open of await requests.open()) {
      const target = all().find(({ side, name }) => side === open.side && name === open.name);
      if (target === undefined) await requests.ended(open.key, 'it is not configured any more');
      else target.loop.offer(open);
    }
  };

  const look = async (): Promise<void> => {
    if (!isLeader()) for (const { loop } of all()) loop.interrupt();
    else if (all().length > 0)
      await lookOnce().catch((error: unknown) =>
        observer.errorCaught('all', 'runs of the reconciliation that were asked for cannot be read', error),
      );
  };

  const lookRegularly = async (): Promise<void> => {
    const { signal } = stopping;
    while (!signal.aborted) {
      await look();
      await sleep(lookMs, undefined, { signal }).catch(() => undefined);
    }
  };

  const reportOf = async <Report extends { readonly state: string }>({
    reconciler,
    loop,
  }: Running<Report>): Promise<Report> => {
    const report = await reconciler.report();
    return loop.isRunning ? { ...report, state: 'running' } : report;
  };

  void set(parts.config);

  return {
    get targets() {
      return all().map(({ side, name }) => ({ side, name }));
    },
    async report() {
      return {
        sources: await Promise.all(sources.map(reportOf)),
        destinations: await Promise.all(destinations.map(reportOf)),
      };
    },
    runs: () => requests.list(),
    async request(request, targets) {
      const id = await requests.add(request, targets);
      // If another replica is the leader, that one finds it.
      if (isStarted && isLeader()) await look();
      return id;
    },
    start() {
      isStarted = true;
      looking ??= lookRegularly();
      for (const { loop } of all()) loop.start();
    },
    set,
    async stop() {
      isStarted = false;
      stopping.abort();
      await looking;
      await Promise.all(all().map(closeOne));
    },
  };
}
