import { describe, expect, it } from 'vitest';
import { flatEvent } from '../../src/mapping/raw-format.ts';
import { eventWith } from '../mapping/mapping-rig.ts';
import { withBlock } from './generated.ts';
import { factsOf } from './mapping-facts.ts';
import { leavesOf, withLeafChanged } from './payload-leaves.ts';

async function fieldsOf(eventName: string, data: Parameters<typeof eventWith>[1]) {
  const facts = await factsOf(flatEvent(eventWith(eventName, data)));
  return new Map(facts?.fields.map((field) => [`${field.record} ${field.path}`, field] as const));
}

describe('the facts of a mapping', () => {
  it('have the sources of a value, also through lists and renamed fields', async () => {
    const fields = await fieldsOf('transactionAdded', {
      amount: 10,
      lineItems: [
        { itemCode: 'A', qty: 1 },
        { sku: 'B', qty: 2 },
      ],
    });

    expect(fields.get('event commerce.order.priceTotal')?.sources).toEqual(['data.amount']);
    expect(fields.get('event productListItems[].SKU')?.sources).toEqual([
      'data.lineItems[].itemCode',
      'data.lineItems[].sku',
    ]);
    expect(fields.get('event commerce.purchases.value')).toMatchObject({ sources: [], values: [1] });
  });

  it('have the features that add or remove a field', async () => {
    const tiers = [{ tierNumber: 2, tierName: 'Sapling' }];
    const fields = await fieldsOf('tierUpgraded', {
      loyaltyProgramId: 1,
      loyaltyProgramDetails: { id: 1, isDefault: true, tiers },
      upgradedTierNumber: 2,
      tierExpiryDateInMillis: 1_796_000_000_000,
    });

    expect(fields.get('profile loyalty.tier')?.features).toEqual([]);
    expect(fields.get('profile loyalty.tierUpgradeDate')?.features).toEqual(['loyalty2026']);
    expect(fields.get('profile loyalty.upgradeDate')?.features).toEqual(['not loyalty2026']);
  });

  it('have the fields that remove a value if none changes it', async () => {
    const fields = await fieldsOf('customerUpdated', {
      updatedFields: [{ fieldName: 'gender', currentValue: 'female' }],
    });

    expect(fields.get('profile person.gender')?.sources).toEqual([
      'data.updatedFields[].fieldName',
      'data.updatedFields[].currentValue',
    ]);
  });

  it('are undefined for an ignored event', async () => {
    const event = eventWith('transactionAdded', { customerIdentifiers: {} });
    expect(await factsOf(flatEvent(event))).toBeUndefined();
  });
});

it('every value of a payload is changed to another value of its kind', () => {
  const payload = {
    data: {
      a: [{ b: true }, { b: 7 }],
      mail: 'm@x.org',
      day: '2026-11-06T10:00:00Z',
      code: 'INR',
      text: 'Quill',
      id: '12',
    },
    empty: null,
  };
  const changed = leavesOf(payload).map(
    (leaf) => [leaf.name, leavesOf(withLeafChanged(payload, leaf))] as const,
  );

  expect(changed.map(([name]) => name)).toEqual(
    ['a[].b', 'a[].b', 'mail', 'day', 'code', 'text', 'id'].map((name) => `data.${name}`),
  );
  expect(changed.map(([, leaves], index) => leaves[index]?.value)).toEqual([
    false,
    8,
    'xm@x.org',
    '2026-11-05T10:00:00Z',
    'EUR',
    'Quillx',
    '13',
  ]);
});

it('a page without the block is rejected', () => {
  const page = 'before\n<!-- generated: one, by hand -->\nold\n<!-- end of generated -->\nafter\n';
  expect(withBlock(page, 'one', 'new $1')).toBe(
    'before\n<!-- generated: one, by hand -->\n\nnew $1\n\n<!-- end of generated -->\nafter\n',
  );
  expect(() => withBlock(page, 'two', '')).toThrow('no block for two');
});
