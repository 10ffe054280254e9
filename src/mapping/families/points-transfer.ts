import type { Draft, Family } from './family.ts';
import { ownBalance, programBalanceChange } from './program-balance.ts';
import type { Reader } from '../reader.ts';

/** pointsTransferredInitiated: points given to someone else (reference: events/documented). */
export const mapPointsTransferredInitiated: Family = (input) => {
  const { data } = input;
  const programs = data.list('redemptionFromEarningPrograms').map((program) => ({
    programId: program.id('programId'),
    transferred: program.number('pointsRedeemed'),
    points: program.number('programCurrentPoints'),
  }));
  const recipient = otherParty(data, 'transferReceiving');
  return {
    eventType: 'loyalty.pointsTransferredInitiated',
    tenant: {
      points: {
        transferred: data.number('totalPointsTransferred'),
        balance: ownBalance(data, programs),
      },
      pointsBreakdown: programs.map(({ programId, transferred }) => ({ points: transferred, programId })),
      transfer: { recipientId: recipient.id, recipientType: recipient.type },
    },
    ...programBalanceChange(input, programs, 'data.redemptionFromEarningPrograms'),
  };
};

/** pointsTransferredReceived: points got from someone else (reference: events/documented). It tells no balance. */
export const mapPointsTransferredReceived: Family = ({ data }) => {
  const sender = otherParty(data, 'transferInitiating');
  return {
    eventType: 'loyalty.pointsTransferredReceived',
    tenant: {
      points: { transferred: data.number('totalPointsTransferred') },
      transfer: { senderId: sender.id, senderType: sender.type },
    },
  };
};

/** The other party by id only: it is another person, whose name and contact do not belong to this one. */
function otherParty(data: Reader, prefix: string): Draft {
  const entity = data.object(`${prefix}EntityInformation`);
  const person = data.object(`${prefix}CustomerIdentifiers`);
  return { id: entity.id('entityId') ?? person.id('customerId'), type: entity.text('entityType') };
}
