import { createCapillaryClient, type CapillaryClient } from '../../capillary/api/capillary-client.ts';
import type { CapillaryApiConfig } from '../../config/capillary-config.ts';
import type { SourceReconcileConfig } from '../../config/reconcile-config.ts';
import type { SourceConfig } from '../../config/source-config.ts';
import type { Egress } from '../../http/egress.ts';
import type { AcceptParts } from '../../intake/accept-array.ts';
import type { Admission } from '../../intake/admission.ts';
import type { Journal, Landings } from '../../journal/journal.ts';
import type { ReconciliationObserver, Reconciler, RunRequest } from '../reconcile-run.ts';
import type { CheckProblem, SourceReconciliation } from '../reconciliation-report.ts';
import { RunEnded } from './call-problem.ts';
import { createLogIntake } from './log-intake.ts';
import { createLogPage } from './log-page.ts';
import { compareSlots } from './log-run.ts';
import { loadSentNotes, type NotesJournal } from './sent-notes.ts';
import { sentReport } from './sent-report.ts';
import { createSlotScan } from './slot-scan.ts';
import { consumerGroupOf } from './webhook-group.ts';

export interface SourceReconcilerParts {
  /** With `reconcile` and `api`; without `webhook` each run ends with a problem. */
  readonly source: SourceConfig;
  readonly journal: AcceptParts['journal'] &
    NotesJournal &
    Pick<Landings, 'known' | 'knownSince' | 'askRefresh'> &
    Pick<Journal, 'list'>;
  /** Maximum size of an inflated body in bytes, as it is configured at the time of the call. */
  readonly bodyLimit: () => number;
  readonly admission: Pick<Admission, 'refusal' | 'admit'>;
  readonly egress: Egress;
  /**
   * Calls through the enricher of the source, below its own; undefined if it has none. Asked for
   * each run.
   */
  readonly sharedClient?: () => Pick<CapillaryClient, 'get'> | undefined;
  /** Processes that share the API key, from 1: for calls that do not go through an enricher. */
  readonly share?: () => number;
  readonly observer: ReconciliationObserver;
  /** Epoch ms. Default: that of the system. */
  readonly now?: () => number;
}

interface Settings {
  readonly api: CapillaryApiConfig;
  readonly reconcile: SourceReconcileConfig;
}

function settingsOf({ name, api, reconcile }: SourceConfig): Settings {
  if (api === undefined || reconcile === undefined)
    throw new TypeError(`source ${name} cannot be compared without api and reconcile`);
  return { api, reconcile };
}

/** The client with the signal of a run; each call is reported. */
function callingWith(
  client: Pick<CapillaryClient, 'get'>,
  signal: AbortSignal,
  onCalled: (outcome: string) => void,
): Pick<CapillaryClient, 'get'> {
  return {
    async get(path, options) {
      signal.throwIfAborted();
      const answer = await client.get(path, { ...options, signal });
      onCalled(answer.ok ? 'ok' : answer.error.kind);
      return answer;
    },
  };
}

/**
 * Compares what Capillary sent to the webhook of a source with what the journal accepted, by
 * Capillary's delivery log, and takes from it what is missing.
 * Source: docs/platforms/capillary.md#delivery-log
 */
export function createSourceReconciler(parts: SourceReconcilerParts): Reconciler<SourceReconciliation> {
  const { source, journal, observer, egress, now = Date.now } = parts;
  const { api, reconcile } = settingsOf(source);
  const { name } = source;
  const { share = () => 1, sharedClient = () => undefined } = parts;
  const intake = createLogIntake({ ...parts, now });
  let ownClient: CapillaryClient | undefined;

  const clientOf = (): Pick<CapillaryClient, 'get'> => {
    const shared = sharedClient();
    if (shared !== undefined) return shared;
    ownClient ??= createCapillaryClient({ api, egress, now, share });
    return ownClient;
  };

  const beyondLogFix =
    source.enrich === undefined
      ? 'see docs/runbook.md, RelayEventsLostAtCapillary'
      : `capillary-relay events replay --states delivered --filter source=${name} --refetch --dry-run`;

  /** @throws RunEnded */
  const compare = async (request: RunRequest, signal: AbortSignal): Promise<void> => {
    const client = callingWith(clientOf(), signal, (outcome) => observer.called('capillary', name, outcome));
    const consumerGroupId = await consumerGroupOf(client, source);
    const notes = await loadSentNotes(journal, name);
    await notes.fold(now());
    const page = createLogPage({
      source,
      journal,
      intake,
      onRecovered: (count) => observer.recovered(name, count),
    });
    const slots = createSlotScan({ client, consumerGroupId, page, notes, beyondLogFix, now });
    const knownSince = await journal.knownSince();
    await compareSlots({ name, reconcile, notes, slots, observer, knownSince, now }, request, signal);
  };

  const remember = async (problem: CheckProblem | undefined): Promise<number> => {
    const notes = await loadSentNotes(journal, name);
    const { problem: _before, ...state } = notes.state;
    const outcome = problem === undefined ? { lastRunAt: now() } : { problem };
    await notes.save({ state: { ...state, ...outcome } });
    return Object.keys(sentReport(name, notes, beyondLogFix).open).length;
  };

  const attempt = async (request: RunRequest, signal: AbortSignal): Promise<CheckProblem | undefined> => {
    try {
      await compare(request, signal);
      return undefined;
    } catch (error) {
      if (!(error instanceof RunEnded)) throw error;
      return error.problem;
    }
  };

  return {
    name,
    every: reconcile.every,
    async run(request, signal) {
      const startedAt = now();
      const end = (outcome: 'ok' | 'differences' | 'failed', problem?: string): void =>
        observer.runEnded({ side: 'capillary', name, outcome, problem, durationMs: now() - startedAt });
      try {
        signal.throwIfAborted();
        const problem = await attempt(request, signal);
        signal.throwIfAborted();
        const open = await remember(problem);
        if (problem !== undefined) end('failed', problem.code);
        else end(open === 0 ? 'ok' : 'differences');
      } catch (error) {
        if (!signal.aborted) end('failed');
        throw error;
      }
    },
    report: async () => sentReport(name, await loadSentNotes(journal, name), beyondLogFix),
    async close() {
      await ownClient?.close();
      ownClient = undefined;
    },
  };
}
