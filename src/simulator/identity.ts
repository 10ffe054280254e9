import { isJsonObject, type JsonObject } from '../capillary/json.ts';
import type { Violation } from './violations.ts';
import type { XdmField } from './xdm-field.ts';

/** The identity that a record belongs to. */
export interface Identity {
  readonly namespace: string;
  readonly id: string;
}

/** Limits of one record (reference: adobe.md §3). */
const MAX_IDENTITIES = 20;
const MAX_ID_LENGTH = 1_024;

/** `identityMap`: lists of identities by namespace code (reference: adobe.md §5.2). */
export const identityMap: XdmField = {
  map: {
    list: {
      fields: {
        id: 'string',
        authenticatedState: { oneOf: ['ambiguous', 'authenticated', 'loggedOut'] },
        primary: 'boolean',
      },
      required: ['id'],
    },
  },
};

interface Listed extends Identity {
  readonly primary: boolean;
}

function listed(entity: JsonObject): Listed[] {
  if (!isJsonObject(entity.identityMap)) return [];
  return Object.entries(entity.identityMap).flatMap(([namespace, items]) =>
    (Array.isArray(items) ? items : []).filter(isJsonObject).flatMap((item) => {
      const { id, primary } = item;
      return typeof id === 'string' ? [{ namespace, id, primary: primary === true }] : [];
    }),
  );
}

/** The first identity marked primary. */
export function primaryIdentity(entity: JsonObject): Identity | undefined {
  const found = listed(entity).find((identity) => identity.primary);
  return found && { namespace: found.namespace, id: found.id };
}

/** An identity as one text. */
export function identityKey({ namespace, id }: Identity): string {
  return `${namespace}:${id}`;
}

/** What is wrong with the identities beyond their types: exactly one primary, known namespaces, limits. */
export function* identityViolations(
  entity: JsonObject,
  namespaces: readonly string[] | undefined,
): Generator<Violation> {
  const pointer = '#/identityMap';
  const all = listed(entity);
  const primaries = all.filter((identity) => identity.primary).length;
  if (primaries !== 1) {
    yield {
      pointer,
      keyword: 'identity',
      message: `needs exactly one primary identity, found: ${primaries}`,
    };
  }
  if (all.length > MAX_IDENTITIES) {
    const message = `${all.length} identities are over the limit of ${MAX_IDENTITIES}`;
    yield { pointer, keyword: 'identity', message };
  }
  if (all.some(({ id }) => id.length > MAX_ID_LENGTH)) {
    const message = `an identity is over the limit of ${MAX_ID_LENGTH} characters`;
    yield { pointer, keyword: 'identity', message };
  }
  for (const { namespace } of all) {
    if (namespaces?.includes(namespace) === false) {
      yield {
        pointer: `${pointer}/${namespace}`,
        keyword: 'identity',
        message: 'the namespace does not exist',
      };
    }
  }
}
