import type { Draft } from './family.ts';
import type { Notes } from '../notes.ts';
import type { Reader } from '../reader.ts';

const LISTS = ['lineItems', 'lineItemsV2'] as const;

/**
 * The lines of a bill. Capillary's own bodies hold none (reference: capillary.md §3.2); those that a brand
 * adds on the way do. A line without a SKU is left out: XDM asks for one. `quantity` is a whole number in
 * XDM, so a loose weight is left out too (reference: adobe.md §5.5).
 */
export function lineItems(data: Reader, currencyCode: string | undefined, notes: Notes): readonly Draft[] {
  const lines = LISTS.map((name) => data.list(name)).find((list) => list.length > 0) ?? [];
  return lines.flatMap((line) => {
    const SKU = line.id('itemCode') ?? line.id('sku') ?? line.id('productCode');
    if (SKU === undefined) {
      notes.add(`${line.path}.itemCode`, 'missing-required');
      return [];
    }
    return [
      {
        SKU,
        name: line.text('name') ?? line.text('description'),
        quantity: line.integer('qty') ?? line.integer('quantity'),
        priceTotal: line.number('amount') ?? line.number('value'),
        discountAmount: line.number('discount'),
        currencyCode,
      },
    ];
  });
}
