import { describe, expect, it } from 'vitest';
import { withReads } from './read-rig.ts';

const FULL = 'tenders=true&mlp=true&points_breakup=true';

function sum(values: readonly number[]): number {
  return Math.round(values.reduce((total, value) => total + value, 0) * 100) / 100;
}

describe('a bill that an event names', () => {
  it('has the lines, tenders and points that the event leaves out', async () => {
    const { raise, get } = await withReads();
    const events = await raise({ count: 100 });
    const bills = events.filter(({ eventName }) => eventName === 'transactionAdded');
    expect(bills.length).toBeGreaterThan(3);
    for (const { data } of bills.slice(0, -1)) {
      const bill = await get(`/v2/transactions/${data.transactionId}?${FULL}`);
      expect(bill).toMatchObject({
        id: data.transactionId,
        customerId: data.customerIdentifiers.customerId,
        type: data.billType,
        billDetails: {
          billNumber: data.billNumber,
          amount: data.amount,
          grossAmount: data.grossAmount,
          discount: data.discount,
          billingStore: { code: data.enteredBy.store.code },
        },
        customFields: { channel: data.customFields[0].value },
      });
      expect(Date.parse(bill.billDetails.billingTime)).toBe(Math.floor(data.billDate / 1_000) * 1_000);
      expect(bill.lineItems).toHaveLength(data.lineItemCount);
      expect(sum(bill.paymentModes.map(({ amount }: { amount: number }) => amount))).toBe(data.amount);
      const issued = events.find(
        (event) =>
          event.eventName === 'pointsIssued' &&
          event.data.triggeringActivity.identifiers[0].value === String(data.transactionId),
      );
      const [points] = bill.loyaltiesPointDetails;
      expect(points.issuedPoints + points.delayedPoints).toBe(issued?.data.totalPointsIssued);
      expect(points.pointsBreakup.currentPoints.regularPointsBreakup[0].issued).toBe(
        issued?.data.regularPointsIssued,
      );
    }
  });

  it('has neither tenders nor points unless they are asked for', async () => {
    const { raise, get } = await withReads();
    const [bill] = await raise({ count: 1, names: ['transactionAdded'] });
    const body = await get(`/v2/transactions/${bill?.data.transactionId}`);
    expect(body).not.toHaveProperty('paymentModes');
    expect(body).not.toHaveProperty('loyaltiesPointDetails');
    // points_breakup works with mlp only.
    expect(await get(`/v2/transactions/${bill?.data.transactionId}?points_breakup=true`)).not.toHaveProperty(
      'loyaltiesPointDetails',
    );
  });

  it('is unknown under another type', async () => {
    const { raise, get } = await withReads();
    const events = await raise({ count: 12, names: ['transactionAdded'], awkward: 0.5 });
    const returned = events.find(({ data }) => data.billType === 'RETURN');
    const path = `/v2/transactions/${returned?.data.transactionId}`;
    expect((await get(path)).errors).toMatchObject([{ code: 603 }]);
    const body = await get(`${path}?type=RETURN`);
    expect(body).toMatchObject({ type: 'RETURN', returnType: 'LINE_ITEM' });
    expect(body.billDetails.amount).toBeGreaterThan(0);
    expect(body.lineItems).toHaveLength(1);
    expect((await get(`${path}?type=ODD`)).errors).toMatchObject([{ code: 620 }]);
  });

  it('has lines in other ways than one expects: by weight, without a value, with tax elsewhere', async () => {
    const { world, get } = await withReads({ world: { customers: 40 } });
    const bodies = await Promise.all(
      [...world.bills.keys()].map((id) => get(`/v2/transactions/${id}?${FULL}`)),
    );
    const lines = bodies.flatMap(({ lineItems }) => lineItems);
    const details = lines.map((line: { details: Record<string, number> }) => line.details);
    expect(details.some(({ qty }) => qty !== undefined && !Number.isInteger(qty))).toBe(true);
    expect(details.some(({ value }) => value === 0)).toBe(true);
    expect(details.every(({ amount }) => amount !== undefined && amount > 0)).toBe(true);
    expect(
      new Set(lines.map((line: { details: { description: string } }) => line.details.description === '')),
    ).toEqual(new Set([true, false]));
    const offsets = bodies.map(({ billDetails }) => billDetails.billingTimeInputOffset);
    expect(new Set(offsets)).toEqual(new Set(['+05:30', undefined]));
    for (const body of bodies) {
      expect(body.extendedFields).toHaveProperty('CentralGST');
      expect(body.billDetails).not.toHaveProperty('tax');
    }
  });

  it('in another currency has amounts in the base currency, beside the name of the other one', async () => {
    const { world, get } = await withReads({ world: { customers: 60 } });
    const foreign = [...world.bills.values()].find(({ currency }) => currency !== undefined)!;
    const body = await get(`/v2/transactions/${foreign.id}`);
    expect(body.billDetails).toMatchObject({
      amount: foreign.amount / 100,
      currency: { name: 'UAE dirham' },
    });
    expect(body.billDetails.currency).not.toHaveProperty('isoCode');
    expect(body.currencyLogDto).toMatchObject({
      baseCurrency: { isoCode: 'INR' },
      transactionCurrency: { isoCode: 'AED' },
      value: foreign.amount / 100,
    });
    expect(body.currencyLogDto.localValue * body.currencyLogDto.ratio).toBe(foreign.amount / 100);
    const plain = [...world.bills.values()].find(({ currency }) => currency === undefined)!;
    expect(await get(`/v2/transactions/${plain.id}`)).not.toHaveProperty('currencyLogDto');
  });

  it('can have a time without an offset', async () => {
    const { world, get } = await withReads({ world: { bareBillingTimes: true } });
    const [bill] = world.bills.values();
    const { billDetails } = await get(`/v2/transactions/${bill?.id}`);
    expect(billDetails.billingTime).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  });

  it('is not readable for a while, if that is set', async () => {
    let time = Date.now();
    const { raise, read } = await withReads(
      { world: { freshBillMs: 2_000 }, tokenTtlSeconds: 60 },
      () => time,
    );
    const [bill] = await raise({ count: 1, names: ['transactionAdded'] });
    const path = `/v2/transactions/${bill?.data.transactionId}`;
    expect(await read(path)).toMatchObject({ status: 521, json: { errors: [{ code: 521 }] } });
    time += 3_000;
    expect((await read(path)).status).toBe(200);
  });
});

describe('an unknown bill', () => {
  it('can be a new one, if that is set', async () => {
    let time = Date.now();
    const { raise, read } = await withReads(
      { world: { unknownMs: 2_000, freshBillMs: 4_000 }, tokenTtlSeconds: 60 },
      () => time,
    );
    const [bill] = await raise({ count: 1, names: ['transactionAdded'] });
    const path = `/v2/transactions/${bill?.data.transactionId}`;
    expect((await read(path)).json.errors).toMatchObject([{ code: 603 }]);
    time += 3_000;
    expect((await read(path)).status).toBe(521);
    time += 2_000;
    expect((await read(path)).status).toBe(200);
  });

  it('is HTTP 200 with an error', async () => {
    const { read } = await withReads();
    expect(await read('/v2/transactions/17')).toMatchObject({
      status: 200,
      json: { errors: [{ status: false, code: 603 }], warnings: [] },
    });
    expect((await read('/v2/transactions/getByBillNumber/none')).json.errors).toMatchObject([{ code: 607 }]);
  });
});

describe('bills by number and of a customer', () => {
  it('are found', async () => {
    const { world, get } = await withReads();
    const [bill] = [...world.bills.values()];
    const byNumber = await get(`/v2/transactions/getByBillNumber/${encodeURIComponent(bill!.number)}`);
    expect(byNumber).toMatchObject({ pagination: { total: 1 }, data: [{ id: bill!.id }] });
  });

  it('are pages of flat items, newest first, with what embed adds', async () => {
    const { world, get } = await withReads();
    const customer = [...world.customers.values()].find(({ bills }) => bills.length > 1)!;
    const path = `/v2/customers/${customer.customerId}/transactions`;
    const all = await get(path);
    expect(all.data.map(({ id }: { id: number }) => id)).toEqual(
      customer.bills.toReversed().map(({ id }) => id),
    );
    expect(all.data[0]).toMatchObject({ customerId: customer.customerId, type: 'REGULAR' });
    expect(all.data[0]).not.toHaveProperty('lineItems');
    const one = await get(
      `${path}?limit=1&offset=1&embed=PAYMENT_MODES,BILL_STORE_DETAILS&includeLineItemDetails=true`,
    );
    expect(one).toMatchObject({ pagination: { limit: 1, offset: 1, total: customer.bills.length } });
    expect(one.data).toHaveLength(1);
    expect(one.data[0].lineItems.length).toBeGreaterThan(0);
    expect(one.data[0]).toMatchObject({ billingStore: { type: 'STORE' } });
    const ids = customer.bills.slice(0, 1).map(({ id }) => id);
    expect((await get(`${path}?transactionId=${ids.join(',')}`)).data).toMatchObject([{ id: ids[0] }]);
    expect((await get(`${path}?startDate=2999-01-01 00:00:00`)).data).toEqual([]);
  });
});
