import type { CustomerEntity, FetchedCustomer } from '../../capillary/entities.ts';
import { snapshotAnswerFact } from '../customer/consents.ts';
import {
  ACTIVE_FACT,
  joinedFact,
  LOYALTY_TYPE_FACT,
  normalLoyaltyType,
} from '../customer/loyalty-membership.ts';
import { storedTier, TIER_SNAPSHOT } from '../customer/tier-snapshot.ts';
import { isLabel } from '../../capillary/deletion.ts';
import type { Facts, FamilyInput } from '../families/family.ts';
import { programFacts } from '../families/program-balance.ts';
import { pointsSnapshotFacts } from './points-snapshot.ts';
import { CUSTOMER_PATH } from './snapshot-input.ts';

/** Membership, standing in each program, and consents, as an answer states them. */
export function customerFacts(answer: FetchedCustomer, input: FamilyInput): Facts {
  if (answer.kind === 'erased') {
    return [];
  }
  const { customer } = answer;
  const isOutside = answer.kind === 'no-loyalty';
  return [
    ...membershipFacts(customer, isOutside, answer.at),
    ...activeFacts(customer, input),
    ...consentFacts(customer, input),
    ...(isOutside ? [] : (customer?.programs ?? [])).flatMap((program) => [
      ...programFacts(program.programId, { [TIER_SNAPSHOT]: storedTier(program) }),
      ...pointsSnapshotFacts(program, input.context.source),
    ]),
  ];
}

/** Who is in no program has joined none. */
function membershipFacts(customer: CustomerEntity | undefined, isOutside: boolean, at: number): Facts {
  const stated = customer?.loyaltyType;
  const type = isOutside ? 'NON_LOYALTY' : stated === undefined ? undefined : normalLoyaltyType(stated);
  const joinedAt = type === 'NON_LOYALTY' ? undefined : customer?.joinedAt;
  return [
    ...(type === undefined ? [] : [[LOYALTY_TYPE_FACT, type] as const]),
    ...(joinedAt === undefined ? [] : [[joinedFact(Math.min(joinedAt, at)), true] as const]),
  ];
}

function activeFacts(customer: CustomerEntity | undefined, { context }: FamilyInput): Facts {
  const label = customer?.status?.label;
  return label === undefined ? [] : [[ACTIVE_FACT, isLabel(label, context.source.labels.active)]];
}

/** Only `BULK` is marketing (docs/platforms/capillary.md#subscriptions). */
function consentFacts(customer: CustomerEntity | undefined, { context, notes }: FamilyInput): Facts {
  const answers = new Map<string, 'y' | 'n'>();
  for (const { channel, priority, isOptedIn } of customer?.subscriptions ?? []) {
    const fact = snapshotAnswerFact(channel.toLowerCase().replaceAll(/[^a-z]/g, ''));
    if (fact !== undefined && priority.trim().toUpperCase() === 'BULK') {
      answers.set(fact, answers.get(fact) === 'n' || !isOptedIn ? 'n' : 'y');
    }
  }
  if (answers.size > 0 && !context.destination.schemaFeatures.consents) {
    notes.add(`${CUSTOMER_PATH}.subscriptions`, 'unknown-field');
    return [];
  }
  return [...answers];
}
