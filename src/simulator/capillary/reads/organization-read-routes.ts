import type { JsonObject } from '../../../capillary/json.ts';
import { type Answer, jsonAnswer } from '../../adobe/exchange.ts';
import type { CapillaryCall, CapillaryRoute } from '../api/api-route.ts';
import {
  BASE_CURRENCY,
  FOREIGN_CURRENCY,
  PRODUCTS,
  PROGRAMS,
  type Store,
  STORES,
  type Till,
  TILLS,
  TENDERS,
  ZONE,
} from '../world/brand.ts';
import { contextOf, integerOf, v2Error } from './read-context.ts';

const ORGANIZATION = { resource: 'Organization', rights: ['read'] } as const;
const STORE = { resource: 'Store', rights: ['read'] } as const;
const PRODUCT = { resource: 'Product', rights: ['read'] } as const;

const SUCCESS = { success: 'true', code: 200, message: 'SUCCESS' };

/** v1.1: everything is below `response`, and most values are strings. */
function v1Answer(body: JsonObject): Answer {
  return jsonAnswer(200, { response: { status: SUCCESS, ...body } });
}

/** The tiers of the programs are not here (docs/platforms/capillary.md#reference-reads). */
function readPrograms(): Answer {
  const data = PROGRAMS.map((program) => ({
    programId: program.id,
    programName: program.name,
    programDescription: program.description,
    pointsToCurrencyRatio: program.pointsToCurrencyRatio,
    default: program.isDefault,
    partnerPrograms: [],
  }));
  return jsonAnswer(200, { data, warnings: [], errors: [] });
}

const TIME_ZONE = { label: ZONE.name, offset: ZONE.offset };

function readOrganization({ caller }: CapillaryCall): Answer {
  return v1Answer({
    organization: {
      id: String(caller.orgId),
      name: 'Tealeaf',
      currency: BASE_CURRENCY.name,
      timezone: ZONE.name,
      timezone_offset: ZONE.offset,
      country_code: 'IN',
      currencies: {
        base_currency: { symbol: BASE_CURRENCY.symbol, label: BASE_CURRENCY.isoCode },
        supported_currencies: [{ symbol: FOREIGN_CURRENCY.symbol, label: FOREIGN_CURRENCY.isoCode }],
      },
      timezones: { base_timezone: TIME_ZONE },
    },
  });
}

function entity(
  { id, code, name }: { id: number; code: string; name: string },
  type: string,
  parent?: Store,
): JsonObject {
  return {
    id: String(id),
    code,
    name,
    type,
    is_active: 'true',
    country_code: 'IN',
    timezones: { base_timezone: TIME_ZONE },
    currencies: { base_currency: { label: BASE_CURRENCY.isoCode } },
    custom_fields: { field: [] },
    ...(parent ? { parent: { id: String(parent.id), code: parent.code, type: 'STORE' } } : {}),
  };
}

const MAX_ENTITIES = 500;

function readEntities(call: CapillaryCall): Answer {
  const { query } = contextOf(call);
  const type = query.get('type')?.toUpperCase() ?? 'STORE';
  const includesParent = query.get('include_parent') === 'true';
  const id = query.get('id');
  const start = integerOf(query, 'start_id', { fallback: 0, max: Number.MAX_SAFE_INTEGER });
  const limit = integerOf(query, 'limit', { fallback: MAX_ENTITIES, max: MAX_ENTITIES });
  const all =
    type === 'TILL'
      ? TILLS.map((till) =>
          entity({ ...till, name: till.code }, type, includesParent ? till.store : undefined),
        )
      : type === 'STORE'
        ? STORES.map((store) => entity(store, type))
        : [];
  const found = all.filter((one) => (id === null || one.id === id) && Number(one.id) >= start);
  return v1Answer({ organization: { entities: { entity: found.slice(0, limit) } } });
}

/** Every value is a string. */
function readStore(call: CapillaryCall): Answer {
  const { query } = contextOf(call);
  const store = STORES.find(
    ({ id, externalId }) => String(id) === query.get('id') || externalId === query.get('external_id'),
  );
  if (store === undefined) {
    const status = { success: 'false', code: 500, message: 'All requests have failed due to errors' };
    const item = { success: 'false', code: '1002', message: 'Store not found' };
    return jsonAnswer(500, { response: { status, stores: { store: { item_status: item } } } });
  }
  return v1Answer({
    stores: {
      store: {
        id: String(store.id),
        code: store.code,
        name: store.name,
        currency: { iso_code: { alpha: BASE_CURRENCY.isoCode } },
        time_zone: ZONE.name,
        external_id: store.externalId,
        external_id_1: '',
        external_id_2: '',
        city_name: store.city,
        country_name: 'India',
      },
    },
  });
}

function tillView({ id, code }: Till): JsonObject {
  return {
    id,
    code,
    name: code,
    type: 'TILL',
    isActive: true,
    timeZoneId: ZONE.id,
    currencyId: BASE_CURRENCY.id,
    customField: [],
  };
}

function tillAnswer(matches: (till: Till) => boolean): Answer {
  const till = TILLS.find(matches);
  return till ? jsonAnswer(200, { ...tillView(till), warnings: [] }) : v2Error(1005, 'Till not found');
}

function readTill(call: CapillaryCall): Answer {
  const { query } = contextOf(call);
  const code = query.get('code');
  const tillId = query.get('tillId');
  if (code === null && tillId === null)
    return jsonAnswer(200, { data: TILLS.map(tillView), warnings: [], errors: [] });
  return tillAnswer((till) => till.code === code || String(till.id) === tillId);
}

function readTenders(): Answer {
  const tender = TENDERS.map(({ mode }) => ({
    name: mode,
    canonical_name: mode.toUpperCase(),
    description: '',
  }));
  return v1Answer({ organization: { tenders: { tender } } });
}

const MAX_SKUS = 100;

/** The catalogue's names: those of bill lines are what the till sent. */
function readSkus(call: CapillaryCall): Answer {
  const { query } = contextOf(call);
  const codes = query.get('entityCodes')?.split(',');
  const limit = integerOf(query, 'limit', { fallback: MAX_SKUS, max: MAX_SKUS });
  const found = PRODUCTS.filter(({ sku }) => codes?.includes(sku) ?? true);
  const data = found.slice(0, limit).map(({ sku, name, price, category }, index) => ({
    id: 5_000 + index,
    sku,
    name,
    description: name,
    price,
    brand: { code: 'tealeaf', name: 'Tealeaf' },
    category: { code: category, name: category },
    attributes: {},
  }));
  return jsonAnswer(200, { pagination: { limit, offset: 0, total: found.length }, data, warnings: [] });
}

/** Programs, stores, tills, tenders and products (docs/platforms/capillary.md#reference-reads). */
export const ORGANIZATION_READ_ROUTES: readonly CapillaryRoute[] = [
  { method: 'GET', path: '/v2/organization/programs', access: ORGANIZATION, answer: readPrograms },
  { method: 'GET', path: '/v1.1/organization/get', access: ORGANIZATION, answer: readOrganization },
  { method: 'GET', path: '/v1.1/organization/entities', access: ORGANIZATION, answer: readEntities },
  { method: 'GET', path: '/v1.1/organization/tenders', access: ORGANIZATION, answer: readTenders },
  { method: 'GET', path: '/v1.1/store/get', access: STORE, answer: readStore },
  { method: 'GET', path: '/v2/organization/till', access: ORGANIZATION, answer: readTill },
  {
    method: 'GET',
    path: '/v2/organization/till/:tillId',
    access: ORGANIZATION,
    answer: ({ params }) => tillAnswer(({ id }) => String(id) === params.tillId),
  },
  { method: 'GET', path: '/v2/product/skus', access: PRODUCT, answer: readSkus },
];
