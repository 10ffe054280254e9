import { list, object } from '../../xdm/shape.ts';
import {
  type AcceptedField,
  type AcceptedMap,
  type AcceptedObject,
  type Additions,
  EVENT_ADDITIONS,
  PROFILE_ADDITIONS,
  WRITTEN_EVENT,
  WRITTEN_PROFILE,
} from './unwritten-fields.ts';

/** Lists of identities by namespace code (docs/platforms/adobe.md#identity-map). */
const IDENTITY_MAP: AcceptedMap = {
  values: list(
    object(
      {
        id: 'string',
        authenticatedState: { oneOf: ['ambiguous', 'authenticated', 'loggedOut'] },
        primary: 'boolean',
      },
      ['id'],
    ),
  ),
};

function childrenOf(path: string, additions: Additions): Additions {
  const prefix = path === '' ? '' : `${path}.`;
  return Object.fromEntries(
    Object.entries(additions)
      .filter(([key]) => key.slice(0, key.lastIndexOf('.') + 1) === prefix)
      .map(([key, field]) => [key.slice(prefix.length), field]),
  );
}

function completeField(field: AcceptedField, path: string, additions: Additions): AcceptedField {
  if (typeof field !== 'object') return field;
  if ('items' in field) return { items: completeField(field.items, `${path}[]`, additions) };
  return 'fields' in field ? completeObject(field, path, additions) : field;
}

/** Adds to an object the additions below its path. */
function completeObject(record: AcceptedObject, path: string, additions: Additions): AcceptedObject {
  const fields = { ...record.fields, ...childrenOf(path, additions) };
  return {
    required: record.required,
    fields: Object.fromEntries(
      Object.entries(fields).map(([name, inner]) => [
        name,
        completeField(inner, path === '' ? name : `${path}.${name}`, additions),
      ]),
    ),
  };
}

const PROFILE_FIELDS = completeObject(WRITTEN_PROFILE, '', PROFILE_ADDITIONS).fields;
/** The schema of an event can also have the field groups of a person. */
const { personID: _, _repo: __, loyalty: ___, ...SHARED_FIELDS } = PROFILE_FIELDS;

/**
 * The records that Adobe accepts: the fields that the relay writes, as src/xdm describes them, and
 * those that it never writes. Without tenant fields.
 */
export const ACCEPTED_RECORDS: Readonly<Record<'event' | 'profile', AcceptedObject>> = {
  profile: { fields: { ...PROFILE_FIELDS, identityMap: IDENTITY_MAP }, required: [] },
  event: {
    fields: {
      ...SHARED_FIELDS,
      ...completeObject(WRITTEN_EVENT, '', EVENT_ADDITIONS).fields,
      identityMap: IDENTITY_MAP,
    },
    required: ['_id', 'timestamp'],
  },
};
