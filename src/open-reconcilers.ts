import { createTokenSource } from './adobe/ims/token-source.ts';
import { createPlatformClient } from './adobe/platform/platform-client.ts';
import type { TokenSource } from './adobe/ports.ts';
import type { Config, DestinationConfig, SourceConfig } from './config/config-schema.ts';
import type { Destinations } from './delivery/destinations.ts';
import type { Enrichers } from './enrichment/enrichers.ts';
import type { Egress } from './http/egress.ts';
import type { Admission } from './intake/admission.ts';
import type { Journal } from './journal/journal.ts';
import { createDestinationReconciler } from './reconciliation/aep/destination-reconciler.ts';
import { createFailedBatchCheck } from './reconciliation/aep/failed-batch-check.ts';
import { withNotifiedBatches } from './reconciliation/aep/notified-batches.ts';
import { createPendingBatches } from './reconciliation/aep/pending-batches.ts';
import { createSourceReconciler } from './reconciliation/capillary/source-reconciler.ts';
import type { ReconciliationObserver } from './reconciliation/reconcile-run.ts';
import { createReconcilers, type Reconcilers, type ReconcilersParts } from './reconciliation/reconcilers.ts';

export interface OpenReconcilersParts {
  readonly config: Pick<Config, 'sources' | 'destinations'>;
  /** Of the configuration that is running. */
  readonly sources: () => readonly SourceConfig[];
  readonly journal: Journal;
  readonly admission: Pick<Admission, 'refusal' | 'admit'>;
  /** Maximum size of an inflated body in bytes. */
  readonly bodyLimit: () => number;
  readonly egress: Egress;
  readonly enrichers: Pick<Enrichers, 'backgroundClient'>;
  readonly destinations: Pick<Destinations, 'all' | 'get' | 'sentRecords'>;
  readonly observer: ReconciliationObserver;
  /** Epoch ms. */
  readonly now: () => number;
}

type ClosableTokens = Pick<TokenSource, 'get' | 'reject' | 'close'>;

/**
 * The tokens of delivery, so that there is one mint for each credential. What the gateway of the
 * platform API refuses is not reported to it: the inlet may take the same token, and delivery must
 * not wait for another one.
 */
function tokensOfDelivery(current: () => TokenSource | undefined): ClosableTokens {
  return {
    async get(signal) {
      const tokens = current();
      if (tokens !== undefined) return tokens.get(signal);
      const detail = 'the destination is not configured any more';
      return { ok: false, code: 'unavailable', detail, permanent: true, retryAfterMs: 0 };
    },
    reject: () => undefined,
    close: () => undefined,
  };
}

/** Connects what compares with Capillary and AEP with the other parts of the relay. */
export function openReconcilers(parts: OpenReconcilersParts): Reconcilers {
  const { journal, admission, egress, enrichers, destinations, observer, now } = parts;

  /** Sources of one organisation can have the same API client, whose budget they share. */
  const usersOf = (api: SourceConfig['api']): number =>
    parts.sources().filter((source) => source.api?.url === api?.url && source.api?.key === api?.key).length;

  const tokensFor = (
    { name, authenticated }: DestinationConfig,
    ims: NonNullable<DestinationConfig['ims']>,
  ): ClosableTokens =>
    authenticated
      ? tokensOfDelivery(() => destinations.get(name)?.tokens)
      : createTokenSource({ ...ims, egress, now });

  const createDestination: ReconcilersParts['createDestination'] = (destination, sources) => {
    const { name, ims, imsOrgId, sandbox, platform } = destination;
    if (ims === undefined) throw new TypeError(`destination ${name} cannot be compared without ims`);
    const closing = new AbortController();
    let current = closing.signal;
    const tokens = tokensFor(destination, ims);
    const client = createPlatformClient({
      url: platform.url,
      imsOrgId,
      sandbox,
      clientId: ims.clientId,
      tokens,
      egress,
      now,
      currentSignal: () => current,
    });
    const others = (): readonly string[] =>
      destinations.all.map(({ config }) => config.name).filter((other) => other !== name);
    const failedBatches = createFailedBatchCheck({ destination, others, client, journal, observer, now });
    const reconciler = createDestinationReconciler({
      destination,
      sources,
      client,
      journal,
      sentRecords: destinations.sentRecords(name),
      failedBatches,
      observer,
      now,
    });
    const whole: typeof reconciler = {
      ...reconciler,
      async run(request, signal) {
        current = AbortSignal.any([signal, closing.signal]);
        try {
          await reconciler.run(request, signal);
        } finally {
          current = closing.signal;
        }
      },
      async close() {
        closing.abort(new DOMException('the reconciliation has ended', 'AbortError'));
        await reconciler.close();
        tokens.close();
      },
    };
    return withNotifiedBatches(whole, {
      pending: createPendingBatches(journal, name),
      check: failedBatches,
      isLeader: () => journal.isLeader(),
      onError: (error) => observer.errorCaught(name, 'a notification will be acted upon again', error),
    });
  };

  return createReconcilers({
    config: parts.config,
    journal,
    isLeader: () => journal.isLeader(),
    createSource: (source) =>
      createSourceReconciler({
        source,
        journal,
        bodyLimit: parts.bodyLimit,
        admission,
        egress,
        sharedClient: () => enrichers.backgroundClient(source.name),
        share: () => Math.max(1, usersOf(source.api)),
        observer,
        now,
      }),
    createDestination,
    observer,
    now,
  });
}
