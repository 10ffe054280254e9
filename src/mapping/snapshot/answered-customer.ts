import { isLabel } from '../../capillary/deletion.ts';
import type { MissingReason } from '../../capillary/enricher.ts';
import type { FetchedCustomer } from '../../capillary/entities.ts';
import type { CapillaryEvent } from '../../capillary/event.ts';
import { laneOf } from '../../capillary/event-identity.ts';
import type { Notes } from '../mapping-notes.ts';
import type { MappingContext } from '../mapping-result.ts';

/** True if the API says that the customer was erased, or the label of the status says so. */
export function isErased({ entities, source }: Pick<MappingContext, 'entities' | 'source'>): boolean {
  const answer = entities?.customer;
  if (answer === undefined || answer.kind === 'erased') {
    return answer !== undefined;
  }
  const label = answer.customer?.status?.label;
  return label !== undefined && isLabel(label, source.labels.deleted);
}

const REASONS: Readonly<Record<MissingReason, string>> = {
  budget: 'no call was left for it',
  unavailable: 'the API is away or refuses the credentials',
  forbidden: 'the access group of the credentials lacks the resource',
  unknown: 'the API does not know it yet',
  timeout: 'the wait was over',
};

/** Notes about what the event wants of the API and has not, with what finds the calls. */
export function noteIncomplete({ incomplete = {} }: Pick<MappingContext, 'incomplete'>, notes: Notes): void {
  for (const part of ['customer', 'bill'] as const) {
    const reason = incomplete[part];
    if (reason !== undefined) {
      const requestId = incomplete.requestIds?.[part];
      const call = requestId === undefined ? '' : ` (X-CAP-REQUEST-ID ${requestId})`;
      notes.add(`entities.${part}`, 'enrichment-incomplete', `${REASONS[reason]}${call}`);
    }
  }
}

/** Names of programs and tiers, and which program is the default one. */
export function learnFromAnswer(
  { orgId, isSample }: CapillaryEvent,
  answer: FetchedCustomer,
  { programs }: Pick<MappingContext, 'programs'>,
): void {
  if (answer.kind !== 'erased' && !isSample) {
    programs.learnPrograms(orgId, answer.customer?.programs ?? [], answer.at);
  }
}

/** The lane of the customer that an answer describes; undefined if it describes none. */
export function laneOfAnswer(answer: FetchedCustomer, event: CapillaryEvent): string | undefined {
  if (answer.kind === 'erased' || event.lane === undefined) {
    return undefined;
  }
  if (answer.kind !== 'merged') {
    return isAbout(answer, event) ? event.lane : undefined;
  }
  const { customer } = answer;
  return customer === undefined ? undefined : laneOf(event.orgId, customer.customerId);
}

/** False if an answer describes another customer than that of the event. */
export function isAbout(answer: FetchedCustomer, { customerId }: CapillaryEvent): boolean {
  const customer = answer.kind === 'erased' ? undefined : answer.customer;
  return customer === undefined || customerId === undefined || customer.customerId === customerId;
}
