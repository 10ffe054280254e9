import { setTimeout as sleep } from 'node:timers/promises';
import type { CoverageFilter, CoverageReport, CoverageSource } from '../admin/admin-parts.ts';
import type { Journal } from '../journal/journal.ts';
import { addReports, type Coverage, matchesFilter } from './field-coverage.ts';

const NAME = 'coverage';
/** How old the counts of other replicas can be. */
const POST_MS = 30_000;

export interface SharedCoverageParts {
  readonly coverage: Pick<Coverage, 'report'>;
  readonly journal: Pick<Journal, 'postReport' | 'otherReports' | 'replicaCount'>;
}

/** The coverage that all replicas together have counted since they started. */
export function sharedCoverage({ coverage, journal }: SharedCoverageParts): CoverageSource {
  return {
    async report(filter) {
      const own = coverage.report(filter);
      if (journal.replicaCount() === 1) return own;
      const others = (await journal.otherReports(NAME)).map((json) => matching(filter, json));
      return addReports([own, ...others]);
    },
  };
}

function matching(filter: CoverageFilter, json: string): CoverageReport {
  const { since, events } = JSON.parse(json) as CoverageReport;
  return { since, events: events.filter(matchesFilter(filter)) };
}

/** Lets the other replicas read what this one has counted, until the abort. */
export async function postCoverage(
  { coverage, journal }: SharedCoverageParts,
  signal: AbortSignal,
  everyMs = POST_MS,
): Promise<void> {
  let posted = '';
  while (!signal.aborted) {
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted || journal.replicaCount() === 1) continue;
    const json = JSON.stringify(coverage.report({}));
    if (json === posted) continue;
    // What could not be written is written with the next counts.
    await journal.postReport(NAME, json).then(
      () => (posted = json),
      () => undefined,
    );
  }
}
