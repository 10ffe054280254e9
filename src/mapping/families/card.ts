import type { Family } from './family.ts';

/**
 * cardUpdated (reference: capillary.md §4.1). It names no customer, so it can only be delivered under a
 * namespace for card numbers, and changes no profile: `loyalty.cardsDetails` would have to be made up without
 * the customer's other cards.
 */
export const mapCardUpdated: Family = ({ data }) => ({
  eventType: 'loyalty.cardUpdated',
  tenant: {
    card: {
      number: data.id('cardNumber'),
      type: data.text('cardType'),
      series: data.scalar('cardSeries'),
      status: data.text('currentStatusLabel'),
      previousStatus: data.text('previousStatusLabel'),
      statusReason: data.text('currentStatusChangeReason'),
      previousStatusReason: data.text('previousStatusChangeReason'),
    },
  },
});
