import type { Reader } from '../reader.ts';
import type { Draft, FamilyInput, FamilyResult } from './family.ts';
import { billIdOf } from './points-corrections.ts';

/**
 * alternateCurrenciesIssued. Alternate currencies are not points: none of their balances goes to
 * the profile's `loyalty` (docs/platforms/capillary.md#points-corrections).
 */
export function mapAlternateCurrenciesIssued({ data }: FamilyInput): FamilyResult {
  const issued = data.list('alternateCurrenciesIssuedData');
  return {
    eventType: 'loyalty.alternateCurrenciesIssued',
    tenant: {
      currencies: issued.map((currency) => ({
        ...currencyName(currency),
        issued: currency.number('totalAlternateCurrenciesIssued'),
        ...balances(currency),
      })),
      currencyExpiries: issued.flatMap(expiries),
    },
  };
}

/** issuedAlternateCurrenciesReversed (docs/platforms/capillary.md#points-corrections). */
export function mapAlternateCurrenciesReversed({ data }: FamilyInput): FamilyResult {
  return {
    eventType: 'loyalty.issuedAlternateCurrenciesReversed',
    tenant: {
      currencies: data.list('alternateCurrenciesReversedData').map((currency) => ({
        ...currencyName(currency),
        reversed: currency.number('totalIssuedAlternateCurrenciesReversed'),
        promisedReversed: currency.number('promisedAlternateCurrenciesReversed'),
        returned: currency.number('currentEventTotalAlternateCurrenciesReturned'),
        ...balances(currency),
      })),
    },
  };
}

/**
 * promisedToCurrentAlternateCurrencyConversion (docs/platforms/capillary.md#points-corrections).
 */
export function mapPromisedCurrencyConversion({ data }: FamilyInput): FamilyResult {
  return {
    eventType: 'loyalty.promisedToCurrentAlternateCurrencyConversion',
    tenant: {
      currencies: data.list('alternateCurrencyConverted').map((currency) => ({
        ...currencyName(currency),
        converted: currency.number('alternateCurrencyValue'),
      })),
      conversion: { source: data.text('alternateCurrencyConversionSource'), billId: billIdOf(data) },
    },
  };
}

/**
 * manualAlternateCurrencyAdjustment. Its payload is not documented, so it is read by the field
 * names of the other currency events (docs/platforms/capillary.md#points-corrections).
 */
export function mapManualCurrencyAdjustment({ data }: FamilyInput): FamilyResult {
  return {
    eventType: 'loyalty.manualAlternateCurrencyAdjustment',
    tenant: { currencies: [currencyName(data)], adjustment: { reason: data.text('reason') } },
  };
}

function currencyName(currency: Reader): Draft {
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

/** When the issued amounts expire: the regular ones first, then those of each promotion. */
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
