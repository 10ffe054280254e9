import type { Enrichment } from '../capillary/enricher.ts';
import type { Entities } from '../capillary/entities.ts';

/* What a replay with refetch asks for again, and uses as it is where the API does not answer. */

const PARTS = ['customer', 'bill'] as const;

function withoutUndefined(entities: Entities): Entities | undefined {
  return Object.keys(entities).length === 0 ? undefined : entities;
}

function partsOf(entities: Entities, isPart: (part: 'customer' | 'bill') => boolean): Entities | undefined {
  const kept = PARTS.filter((part) => entities[part] !== undefined && isPart(part));
  return withoutUndefined(Object.fromEntries(kept.map((part) => [part, entities[part]])));
}

/** @param before epoch ms; what was read before it is stale */
export function splitStale(
  known: Entities | undefined,
  before: number | undefined,
): { readonly stored?: Entities | undefined; readonly stale?: Entities | undefined } {
  if (known === undefined || before === undefined) return { stored: known };
  const isStale = (part: 'customer' | 'bill'): boolean => (known[part]?.at ?? Infinity) < before;
  return { stored: partsOf(known, (part) => !isStale(part)), stale: partsOf(known, isStale) };
}

/**
 * Adds the stale parts that could not be fetched again, which are then not missing. Of a customer
 * who turns out to be erased nothing else is used.
 * @returns the completed answer, and what of it was stored before
 */
export function withStale(
  answer: Partial<Enrichment>,
  stored: Entities | undefined,
  stale: Entities | undefined,
): { readonly answered: Partial<Enrichment>; readonly unchanged: Entities | undefined } {
  if (stale === undefined || answer.entities?.customer?.kind === 'erased')
    return { answered: answer, unchanged: stored };
  const left = partsOf(stale, (part) => answer.entities?.[part] === undefined);
  if (left === undefined) return { answered: answer, unchanged: stored };
  const { missing, entities = stored } = answer;
  const { requestIds, retryIn = 0, ...reasons } = missing ?? {};
  const missed = Object.fromEntries(
    Object.entries(reasons).filter(([part]) => left[part as 'customer' | 'bill'] === undefined),
  );
  return {
    answered: {
      entities: { ...left, ...entities },
      ...(Object.keys(missed).length === 0
        ? {}
        : { missing: { ...missed, ...(requestIds && { requestIds }), retryIn } }),
    },
    unchanged: { ...stored, ...left },
  };
}
