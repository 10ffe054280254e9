import type { Doubt, RecordedDoubt } from '../../journal/landings.ts';
import type { Difference, DifferenceCause, DifferenceKind } from '../reconciliation-report.ts';
import type { EventFinding } from './event-check.ts';
import type { TargetFacts } from './flow-causes.ts';

/* A doubt is stored with its cause, because the journal keeps a code and a sentence only. */

const CAUSE_TEXTS: Readonly<Partial<Record<DifferenceCause, string>>> = {
  'near-size-limit': 'the record is near the size that Profile accepts',
  'flow-too-young': 'it was delivered within minutes after the dataflow was made or changed',
  'flow-disabled': 'the dataflow is disabled',
  'dataset-not-for-profile': 'the dataset is not enabled for Profile',
};

const KINDS: readonly DifferenceKind[] = ['not-in-aep', 'not-in-profile', 'profile-differs'];

function causeText(cause: DifferenceCause): string {
  const text = CAUSE_TEXTS[cause];
  return text === undefined ? '' : `; ${text}`;
}

/** Causes that keep a record out of Profile only: the data lake has it. */
const PROFILE_ONLY: readonly DifferenceCause[] = [
  'near-size-limit',
  'dataset-not-for-profile',
  'too-old-for-profile',
];

/** Whether the data lake need not lack what Profile lacks for this cause. */
export function isOfProfileOnly(cause: DifferenceCause): boolean {
  return PROFILE_ONLY.includes(cause);
}

/**
 * The doubt about an event that Profile does not have as it was sent; undefined if there is none.
 * @param inCounts whether the counts of the period differ too
 */
export function doubtOf(receipt: string, finding: EventFinding, inCounts: boolean): Doubt | undefined {
  if (finding.kind === 'missing') {
    const what = finding.of.includes('event') ? 'the event' : 'the record of the profile';
    const code = inCounts && !isOfProfileOnly(finding.cause) ? 'not-in-aep' : 'not-in-profile';
    const detail = `${finding.cause}: Profile does not have ${what}${causeText(finding.cause)}`;
    return { receipt, code, detail };
  }
  if (finding.kind === 'differs' && finding.cause !== 'another-writer') {
    const detail = `${finding.cause}: the profile differs in ${finding.paths}${causeText(finding.cause)}`;
    return { receipt, code: 'profile-differs', detail };
  }
  return undefined;
}

/** What comes before the replay; a cause without a text needs `provision verify`. */
const BEFORE_REPLAY: Readonly<Partial<Record<DifferenceCause, string>>> = {
  'flow-too-young': '',
  unknown: '',
  'flow-disabled': 'enable the dataflow in AEP, then: ',
  'dataset-not-for-profile': 'enable the dataset for Profile in AEP, then: ',
  'near-size-limit': 'make the record smaller with an override (docs/mapping.md, Sizes), then: ',
};

function fixOf(cause: DifferenceCause, receipt: string): string {
  const before = BEFORE_REPLAY[cause] ?? 'capillary-relay provision verify, then: ';
  return `${before}capillary-relay events replay ${receipt} --states delivered --as-new`;
}

/** The kind of a doubt, by its code. */
export function kindOf(code: string): DifferenceKind {
  return KINDS.find((kind) => kind === code) ?? 'not-in-profile';
}

/** A recorded doubt as operators see it. */
export function differenceOf({ receipt, code, detail, eventName, eventId }: RecordedDoubt): Difference {
  const [, cause = 'unknown', text = detail] = /^([a-z-]+): (.*)$/s.exec(detail) ?? [];
  return {
    kind: kindOf(code),
    cause: cause as DifferenceCause,
    count: 1,
    isOpen: true,
    receipt,
    eventName,
    ...(eventId === undefined ? {} : { eventId }),
    detail: text,
    fix: fixOf(cause as DifferenceCause, receipt),
  };
}

/** Targets whose records never reach Profile, as AEP is set up. */
export function targetDifference({ kind, datasetId }: Pick<TargetFacts, 'kind' | 'datasetId'>): Difference {
  const what = kind === 'event' ? 'events' : 'profile records';
  return {
    kind: 'not-in-profile',
    cause: 'dataset-not-for-profile',
    count: 1,
    isOpen: true,
    detail: `the dataset ${datasetId} of the ${what} is not enabled for Profile: nothing of it can be read back`,
    fix: 'capillary-relay provision verify; without Profile set `readBack: 0`',
  };
}
