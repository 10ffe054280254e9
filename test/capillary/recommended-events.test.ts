import { expect, test } from 'vitest';
import { CATALOGUE } from '../../src/capillary/catalogue.ts';
import { RECOMMENDED_EVENTS } from '../../src/capillary/recommended-events.ts';

/** Of Adobe's own connector: docs/platforms/capillary.md#catalogue */
const CONNECTOR_EVENTS =
  'pointsIssued tierDowngraded tierUpgraded pointsExpiryChange pointsExpired transactionUpdated customerAdded tierDowngradeReminder promotionEarned pointsExpiryReminder pointsRedeemed transactionAdded tierRenewed customerUpdated';

test('the recommended events are public names, each once, with those of the connector', () => {
  expect(RECOMMENDED_EVENTS.filter((name) => !CATALOGUE.has(name))).toEqual([]);
  expect(new Set(RECOMMENDED_EVENTS).size).toBe(RECOMMENDED_EVENTS.length);
  expect(RECOMMENDED_EVENTS).toEqual(expect.arrayContaining(CONNECTOR_EVENTS.split(' ')));
  expect(RECOMMENDED_EVENTS).toHaveLength(20);
});
