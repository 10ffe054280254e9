import type { Config, SourceConfig } from './config/config-schema.ts';
import type { Enrichers } from './enrichment/enrichers.ts';
import type { Egress } from './http/egress.ts';
import type { Admission } from './intake/admission.ts';
import type { Journal } from './journal/journal.ts';
import { createSourceReconciler } from './reconciliation/capillary/source-reconciler.ts';
import type { ReconciliationObserver } from './reconciliation/reconcile-run.ts';
import { createReconcilers, type Reconcilers } from './reconciliation/reconcilers.ts';

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
  readonly observer: ReconciliationObserver;
  /** Epoch ms. */
  readonly now: () => number;
}

/** Connects what compares with Capillary and AEP with the other parts of the relay. */
export function openReconcilers(parts: OpenReconcilersParts): Reconcilers {
  const { journal, admission, egress, enrichers, observer, now } = parts;

  /** Sources of one organisation can have the same API client, whose budget they share. */
  const usersOf = (api: SourceConfig['api']): number =>
    parts.sources().filter((source) => source.api?.url === api?.url && source.api?.key === api?.key).length;

  return createReconcilers({
    config: parts.config,
    journal,
    isLeader: () => journal.isLeader(),
    createSource: (source) =>
      createSourceReconciler({
        source,
        journal,
        bodyLimit: parts.bodyLimit(),
        admission,
        egress,
        sharedClient: () => enrichers.backgroundClient(source.name),
        share: () => Math.max(1, usersOf(source.api)),
        observer,
        now,
      }),
    observer,
    now,
  });
}
