import type { Draft, Family } from './family.ts';
import { billIdOf } from './points-conversion.ts';
import type { Reader } from '../reader.ts';

/**
 * alternateCurrenciesIssued (reference: events/documented). Alternate currencies are no points: none of their
 * balances goes to the profile's `loyalty`.
 */
export const mapAlternateCurrenciesIssued: Family = ({ data }) => {
  const issued = data.list('alternateCurrenciesIssuedData');
  return {
    eventType: 'loyalty.alternateCurrenciesIssued',
    tenant: {
      currencies: issued.map((currency) => ({
        ...named(currency),
        issued: currency.number('totalAlternateCurrenciesIssued'),
        ...balances(currency),
      })),
      currencyExpiries: issued.flatMap(expiries),
    },
  };
};

/** issuedAlternateCurrenciesReversed (reference: events/documented). */
export const mapAlternateCurrenciesReversed: Family = ({ data }) => ({
  eventType: 'loyalty.issuedAlternateCurrenciesReversed',
  tenant: {
    currencies: data.list('alternateCurrenciesReversedData').map((currency) => ({
      ...named(currency),
      reversed: currency.number('totalIssuedAlternateCurrenciesReversed'),
      promisedReversed: currency.number('promisedAlternateCurrenciesReversed'),
      returned: currency.number('currentEventTotalAlternateCurrenciesReturned'),
      ...balances(currency),
    })),
  },
});

/** promisedToCurrentAlternateCurrencyConversion (reference: events/documented). */
export const mapPromisedCurrencyConversion: Family = ({ data }) => ({
  eventType: 'loyalty.promisedToCurrentAlternateCurrencyConversion',
  tenant: {
    currencies: data.list('alternateCurrencyConverted').map((currency) => ({
      ...named(currency),
      converted: currency.number('alternateCurrencyValue'),
    })),
    conversion: { source: data.text('alternateCurrencyConversionSource'), billId: billIdOf(data) },
  },
});

/** manualAlternateCurrencyAdjustment: no payload is documented, so it is read by the names of its siblings. */
export const mapManualCurrencyAdjustment: Family = ({ data }) => ({
  eventType: 'loyalty.manualAlternateCurrencyAdjustment',
  tenant: { currencies: [named(data)], adjustment: { reason: data.text('reason') } },
});

function named(currency: Reader): Draft {
  return {
    id: currency.id('alternateCurrencyIdentifier'),
    name: currency.text('alternateCurrencyName'),
  };
}

function balances(currency: Reader): Draft {
  return {
    balance: currency.number('programCurrentAlternateCurrencies'),
    lifetime: currency.number('programLifetimeAlternateCurrencies'),
  };
}

/** When the amounts issued expire: the regular ones, then those of each promotion. */
function expiries(currency: Reader): readonly Draft[] {
  const currencyId = currency.id('alternateCurrencyIdentifier');
  const regular = currency
    .list('regularAlternateCurrenciesBreakup')
    .map((part) => ({ amount: part.number('alternateCurrencies'), date: part.time('expiryAt') }));
  const promotional = currency.list('promotionalAlternateCurrenciesIssued').map((part) => ({
    amount: part.number('promotionAlternateCurrencies'),
    date: part.time('promotionAlternateCurrenciesExpiryDate'),
  }));
  return [...regular, ...promotional]
    .filter(({ amount, date }) => amount !== undefined && date !== undefined)
    .map((expiry) => ({ currencyId, ...expiry }));
}
