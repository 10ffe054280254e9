import { mapNotInterestedBill, mapRejectedBill, mapRetroBill } from './bill.ts';
import { mapCardUpdated } from './card.ts';
import type { Family } from './family.ts';
import { mapGroup } from './group.ts';
import { mapPartnerProgram } from './partner-program.ts';
import { mapStreak } from './streak.ts';
import { mapSubscription } from './subscription.ts';
import { mapTarget } from './target.ts';

/** Events beyond those of Adobe's own connector: what customers take part in, and what is told of their bills. */
export const ENGAGEMENT_FAMILIES: ReadonlyMap<string, Family> = new Map([
  ['targetCustomerEnrolment', mapTarget],
  ['targetCustomerUnenrolment', mapTarget],
  ['targetPeriodStarted', mapTarget],
  ['targetPeriodCompleted', mapTarget],
  ['targetValueUpdated', mapTarget],
  ['targetAchievedValueUpdated', mapTarget],
  ['targetValueAchieved', mapTarget],
  ['unifiedTargetsAchieved', mapTarget],
  ['unifiedTargetsUnAchieved', mapTarget],
  ['streakCustomerEnrolment', mapStreak],
  ['streakCustomerUnEnrolment', mapStreak],
  ['streakStart', mapStreak],
  ['streakEnd', mapStreak],
  ['streakLevelAchieved', mapStreak],
  ['streakLevelUnAchieved', mapStreak],
  ['groupCreated', mapGroup],
  ['groupUpdated', mapGroup],
  ['groupMemberAdded', mapGroup],
  ['groupMemberRemoved', mapGroup],
  ['pointsContributionToGroup', mapGroup],
  ['partnerProgramLinked', mapPartnerProgram],
  ['partnerProgramUpdated', mapPartnerProgram],
  ['partnerProgramDelinked', mapPartnerProgram],
  ['supplementaryMembershipExpiryReminder', mapPartnerProgram],
  ['cardUpdated', mapCardUpdated],
  ['customerSubscription', mapSubscription],
  ['transactionRejected', mapRejectedBill],
  ['rejectedTransactionRetrigger', mapRejectedBill],
  ['notInterestedBillAdded', mapNotInterestedBill],
  ['retroBillAdded', mapRetroBill],
]);
