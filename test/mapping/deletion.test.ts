import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/capillary/json.ts';
import { contextOf, eventWith, messagesOf } from './mapping-rig.ts';

const CREATED_AT = 1_794_000_000_000;

function update(customerStatus: JsonObject, more: JsonObject = {}) {
  const instore = { mobile: '919845012345', email: 'asha@example.org' };
  return eventWith('customerUpdated', {
    customerIdentifiers: { customerId: 7, instore },
    firstName: 'Asha',
    customerStatus,
    ...more,
  });
}

describe('a customerUpdated with a status', () => {
  it.each<[JsonObject, Record<string, unknown>]>([
    [{ currentStatus: 'DELETED', currentLabel: 'Account closed' }, {}],
    [{ currentStatus: 'deleted' }, {}],
    [{ currentLabel: 'Deleted' }, {}],
    [{ currentLabel: ' DELETED ' }, {}],
    [{ currentLabel: 'account CLOSED' }, { labels: { deleted: ['Gone', 'Account closed'] } }],
    [{ currentStatus: 'DELETED', currentLabel: 'Gelöscht' }, { labels: { deleted: [] } }],
  ])('%j is a deletion of the customer', async (status, source) => {
    const mapped = await messagesOf(update(status), contextOf({ source }));

    expect(mapped.erase).toBe(true);
    expect(mapped.profile).toBeUndefined();
    expect(mapped.event['eventType']).toBe('loyalty.customerDeleted');
    expect(JSON.stringify(mapped.event)).not.toMatch(/9845012345|asha|Asha/u);
  });

  it.each<[JsonObject, Record<string, unknown>]>([
    [{ currentStatus: 'ACTIVE', previousStatus: 'DELETED', previousLabel: 'Deleted' }, {}],
    [{ currentLabel: 'Account closed' }, {}],
    [{ currentLabel: 'Deleted' }, { labels: { deleted: ['Account closed'] } }],
    [{ currentStatus: 7, currentLabel: null }, {}],
  ])('%j is none', async (status, source) => {
    expect((await messagesOf(update(status), contextOf({ source }))).erase).toBe(false);
  });

  it('is dated by createdAt as a deletion, not by an older enteredAt', async () => {
    const enteredAt = CREATED_AT - 33 * 86_400_000;
    const { event } = await messagesOf(update({ currentStatus: 'DELETED' }, { enteredAt }));
    expect(event['timestamp']).toBe('2026-11-06T21:20:00.000Z');
  });

  it('has no personal data in raw format', async () => {
    const context = contextOf({ destination: { format: 'raw' } });
    const status = { currentStatus: 'DELETED', currentLabel: 'Account closed' };
    const { event, upsert } = await messagesOf(update(status), context);

    expect(event['data']).toEqual({
      customerIdentifiers: { customerId: '7' },
      customerStatus: { currentLabel: 'Deleted' },
    });
    expect(upsert).toBeUndefined();
  });
});
