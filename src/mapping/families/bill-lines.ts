import { leafFault } from '../../xdm/shape.ts';
import type { Notes } from '../mapping-notes.ts';
import type { Reader } from '../reader.ts';
import type { Draft } from './family.ts';

/**
 * The lists in which brands send the lines of a bill: as Capillary's API names them, or as its
 * connector for Adobe does (docs/platforms/capillary.md#bill-lines).
 */
const LISTS = ['lineItems', 'lineItemsV2', 'productLineItems', 'productListItems'] as const;

/** One line of a bill; every value as received. */
export interface BillLine {
  /** What the line itself consists of. */
  readonly details: Reader;
  /** The path of the SKU, for notes. */
  readonly skuPath: string;
  readonly sku: string | undefined;
  readonly name: string | undefined;
  readonly type: string | undefined;
  readonly quantity: number | undefined;
  /** The path of the quantity, for notes. */
  readonly quantityPath: string;
  /** Net amount of the line. */
  readonly amount: number | undefined;
  readonly discount: number | undefined;
  /** The customer gave the item back, so it is not bought. */
  readonly isReturned: boolean;
  /** Only money was returned: nothing says that the item came back. */
  readonly isRefundOnly: boolean;
}

/**
 * The lines of a bill. Capillary itself sends none; brands can add them
 * (docs/platforms/capillary.md#thin-payloads).
 *
 * @param isReturn true if the whole bill is a return, so that all of its lines are
 */
export function billLines(data: Reader, isReturn: boolean): readonly BillLine[] {
  const lines = LISTS.map((name) => data.list(name)).find((list) => list.length > 0) ?? [];
  const isRefundOnly = data.text('returnType')?.toUpperCase() === 'AMOUNT';
  return lines.map((line) => readLine(line, isReturn, isRefundOnly));
}

function readLine(line: Reader, isReturn: boolean, isRefundOnly: boolean): BillLine {
  const inner = line.object('details');
  const details = Object.keys(inner.raw).length > 0 ? inner : line;
  const type = line.text('type');
  const quantity = details.number('qty') ?? details.number('quantity');
  const amount = details.number('amount') ?? details.number('value') ?? details.number('priceTotal');
  const isNegative = (amount ?? 0) < 0 || (quantity ?? 0) < 0;
  const isNiReturn = line.scalar('niReturn') === 'true';
  return {
    details,
    skuPath: `${details.path}.itemCode`,
    sku: details.id('itemCode') ?? details.id('sku') ?? details.id('productCode') ?? details.id('SKU'),
    name: details.text('name') ?? details.text('description'),
    type,
    quantity,
    quantityPath: `${details.path}.${details.raw['qty'] === undefined ? 'quantity' : 'qty'}`,
    amount,
    discount: details.number('discount') ?? details.number('discountAmount'),
    isReturned: isReturn || isReturnType(type) || isNiReturn || isNegative,
    isRefundOnly: isRefundOnly || line.text('returnType')?.toUpperCase() === 'AMOUNT',
  };
}

/** `RETURN`, and `NOT_INTERESTED_RETURN` of bills outside the loyalty program. */
export function isReturnType(type: string | undefined): boolean {
  return type !== undefined && /(^|_)RETURN$/i.test(type);
}

/** True if the line is something that the customer bought. */
export function isBought({ isReturned, amount }: BillLine): boolean {
  return !isReturned && amount !== undefined && amount > 0;
}

/**
 * A line in XDM; undefined without a SKU, because XDM requires it. A returned line has a refund and
 * no bought quantity. `quantity` is an integer in XDM, so a weight is left out
 * (docs/platforms/adobe.md#commerce).
 *
 * @param configured fields that the source maps itself
 */
export function productListItem(
  line: BillLine,
  currencyCode: string | undefined,
  notes: Notes,
  configured?: Draft,
): Draft | undefined {
  const { sku: SKU, name, quantity, amount, discount } = line;
  if (SKU === undefined) {
    notes.add(line.skuPath, 'missing-required');
    return undefined;
  }
  if (quantity !== undefined && !isWhole(quantity)) {
    notes.add(line.quantityPath, 'not-an-integer');
  }
  const units = wholeUnits(line);
  return line.isReturned
    ? {
        SKU,
        name,
        refundAmount: amount === undefined ? undefined : Math.abs(amount),
        currencyCode,
        returnItem: { returnQuantityReceived: units },
        ...configured,
      }
    : {
        SKU,
        name,
        quantity: units,
        priceTotal: amount,
        discountAmount: discount,
        currencyCode,
        ...configured,
      };
}

/** The number of units for XDM: bought, or of a returned line received. */
function wholeUnits({ quantity, isReturned, isRefundOnly }: BillLine): number | undefined {
  if (quantity === undefined || !isWhole(quantity)) {
    return undefined;
  }
  if (!isReturned) {
    return quantity;
  }
  return isRefundOnly ? undefined : Math.abs(quantity);
}

function isWhole(quantity: number): boolean {
  return leafFault(quantity, 'integer') === undefined;
}

/** True if `productListItem` cannot say all of the line. */
export function isPartial(line: BillLine): boolean {
  const lacksDiscount = line.isReturned && line.discount !== undefined && line.discount !== 0;
  const lacksQuantity = line.quantity !== undefined && wholeUnits(line) === undefined;
  return line.sku === undefined || lacksQuantity || lacksDiscount;
}

/** The values of a line below the tenant, where nothing has to be left out. */
export function tenantLine({ sku, name, type, quantity, amount, discount }: BillLine): Draft {
  return { sku, name, type, quantity, amount, discount };
}
