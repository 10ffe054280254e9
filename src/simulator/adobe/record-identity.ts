import { isJsonObject, type JsonObject } from '../../capillary/json.ts';

export interface Identity {
  readonly namespace: string;
  readonly id: string;
}

interface MapEntry extends Identity {
  readonly primary: boolean;
}

/** The entries of `identityMap` that have an id. */
export function identitiesOf(entity: JsonObject): MapEntry[] {
  if (!isJsonObject(entity.identityMap)) return [];
  return Object.entries(entity.identityMap).flatMap(([namespace, items]) =>
    (Array.isArray(items) ? items : []).filter(isJsonObject).flatMap((item) => {
      const { id, primary } = item;
      return typeof id === 'string' ? [{ namespace, id, primary: primary === true }] : [];
    }),
  );
}

/** The first identity marked primary: the person that the record is about. */
export function primaryIdentity(entity: JsonObject): Identity | undefined {
  const found = identitiesOf(entity).find((identity) => identity.primary);
  return found && { namespace: found.namespace, id: found.id };
}

/** An identity as one string. */
export function identityKey({ namespace, id }: Identity): string {
  return `${namespace}:${id}`;
}
