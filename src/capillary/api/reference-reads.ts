import { z } from 'zod';
import { aFlag, anId, aText, listOf, objectOf } from './answer-fields.ts';
import { isoCodeOf } from './bill-answer.ts';
import type { CapillaryClient } from './capillary-client.ts';
import { type ReadAnswer, readOnce } from './read-answer.ts';

/* What changes seldom. Source: docs/platforms/capillary.md#reference-reads */

type Client = Pick<CapillaryClient, 'get'>;

export interface ProgramReference {
  readonly programId: string;
  readonly name?: string;
  readonly isDefault: boolean;
}

const programsSchema = z.object({
  data: listOf({ programId: anId, programName: aText, default: aFlag }),
});

/** The organisation's programs. */
export function readPrograms(
  client: Client,
  signal: AbortSignal,
): Promise<ReadAnswer<readonly ProgramReference[]>> {
  return readOnce<readonly ProgramReference[]>(client, {
    path: '/v2/organization/programs',
    signal,
    read: (body) => {
      const { data } = programsSchema.parse(body);
      const value = data?.flatMap(({ programId, programName: name, default: isDefault = false }) =>
        programId === undefined ? [] : [{ programId, name, isDefault }],
      );
      return value === undefined ? { lacks: 'without programs' } : { value };
    },
  });
}

const organizationSchema = z.object({
  response: objectOf({
    organization: listOf({
      currencies: objectOf({ base_currency: objectOf({ label: aText }) }),
    }),
  }),
});

/** ISO code of the currency in which all amounts are; undefined if it is not said. */
export function readBaseCurrency(
  client: Client,
  signal: AbortSignal,
): Promise<ReadAnswer<string | undefined>> {
  return readOnce(client, {
    path: '/v1.1/organization/get',
    query: { format: 'json' },
    signal,
    read: (body) => {
      const [organization] = organizationSchema.parse(body).response?.organization ?? [];
      return organization === undefined
        ? { lacks: 'without an organisation' }
        : { value: isoCodeOf(organization.currencies?.base_currency?.label) };
    },
  });
}

/** Products of one call. */
const MAX_SKUS = 100;
/** Longer texts are none. */
const MAX_SKU_LENGTH = 500;
/** A list of them in a URL, encoded; gateways refuse longer lines. */
const MAX_LIST_LENGTH = 6_000;

const skusSchema = z.object({
  data: listOf({ sku: anId, itemCode: anId, name: aText, description: aText }),
});

/** The first ones of many SKUs, as many as one call can ask for. */
export function skusOfOneCall(skus: Iterable<string>): readonly string[] {
  const fitting: string[] = [];
  let length = 0;
  for (const sku of skus) {
    length += encodeURIComponent(sku).length + 3;
    if (fitting.length > 0 && (fitting.length === MAX_SKUS || length > MAX_LIST_LENGTH)) break;
    fitting.push(sku);
  }
  return fitting;
}

/** A comma separates SKUs, so the catalogue cannot be asked for one that has it. */
export function isAskableSku(sku: string): boolean {
  return sku.trim() !== '' && !sku.includes(',') && sku.length <= MAX_SKU_LENGTH;
}

/**
 * The names that the catalogue has for products.
 * @param skus askable ones of one call (`skusOfOneCall`); one that is not in the answer has no name
 */
export function readProductNames(
  client: Client,
  skus: readonly string[],
  signal: AbortSignal,
): Promise<ReadAnswer<ReadonlyMap<string, string>>> {
  return readOnce<ReadonlyMap<string, string>>(client, {
    path: '/v2/product/skus',
    query: { entityCodes: skus.join(','), limit: MAX_SKUS },
    signal,
    read: (body) => {
      const { data } = skusSchema.parse(body);
      if (data === undefined) return { lacks: 'without products' };
      const names = data.flatMap(({ sku, itemCode, name, description }) => {
        const [code, text] = [sku ?? itemCode, name ?? description];
        return code === undefined || text === undefined ? [] : [[code, text] as const];
      });
      return { value: new Map(names) };
    },
  });
}
