import type { Finding } from './config-error.ts';
import type { DestinationDraft, Draft, SourceDraft } from './draft.ts';

/** Capillary repeats an event for about half of it (docs/platforms/capillary.md#patience). */
const MIN_DELAY_MS = 600_000;

function sourceChecks(source: SourceDraft): readonly Finding[] {
  const { reconcile } = source;
  if (reconcile === undefined) return [];
  const findings: Finding[] = [];
  // A key that is there but invalid is no part of the draft.
  for (const [key, why] of [
    ['api', "Capillary's log is read over its REST API"],
    ['webhook', 'the log is that of the webhook'],
  ] as const)
    if (key in source && source[key] === undefined)
      findings.push({
        path: [],
        message: `needs \`${key}\`: ${why}`,
        fix: `add \`${key}\` to the source, or remove \`reconcile\``,
      });
  if (reconcile.delay < MIN_DELAY_MS)
    findings.push({
      path: ['delay'],
      message: 'is below 10m: Capillary may still be sending these events',
      fix: 'write 10m or more, except for tests',
      severity: 'warning',
    });
  return findings;
}

function destinationChecks({ reconcile, ...destination }: DestinationDraft): readonly Finding[] {
  if (reconcile === undefined) return [];
  const findings: Finding[] = [];
  if ('ims' in destination && destination.ims === undefined)
    findings.push({
      path: [],
      message: "needs `ims`: AEP's platform API requires a token, also for an open connection",
      fix: 'add `ims` with clientId and clientSecrets, or remove `reconcile`',
    });
  if (reconcile.profileDelay > reconcile.lakeDelay)
    findings.push({
      path: ['profileDelay'],
      message: 'is above lakeDelay',
      fix: "make profileDelay the smaller of the two; Adobe's own are 15m and 60m",
    });
  return findings;
}

/** The findings with their whole path. */
function within(
  list: 'sources' | 'destinations',
  index: number,
  findings: readonly Finding[],
): readonly Finding[] {
  return findings.map((finding) => ({ ...finding, path: [list, index, 'reconcile', ...finding.path] }));
}

/** Problems of `reconcile` with other keys. */
export function reconcileFindings({ sources, destinations }: Draft): Finding[] {
  return [
    ...sources.flatMap((source, index) => within('sources', index, sourceChecks(source))),
    ...destinations.flatMap((one, index) => within('destinations', index, destinationChecks(one))),
  ];
}
