import type { JsonValue } from '../../../capillary/json.ts';
import type { Leaf } from '../../../xdm/shape.ts';
import { jsonAnswer } from '../exchange.ts';
import type { AcceptedField, AcceptedObject } from '../unwritten-fields.ts';
import type { PlatformRoute } from './platform-route.ts';
import { lookupForm } from './registry-views.ts';
import { registryError } from './registry-errors.ts';
import { schemaFields } from './schema-fields.ts';

const SAMPLES: Readonly<Record<Extract<Leaf, string>, JsonValue>> = {
  string: 'string',
  number: 12.5,
  integer: 12,
  boolean: true,
  'date-time': '2018-11-12T20:20:39+00:00',
  date: '2018-11-12',
  email: 'info@example.org',
  'uri-reference': '/uri-reference',
};

/** Undefined for what we cannot invent: values with a pattern, and fields without a description. */
function sampleOf(field: AcceptedField): JsonValue | undefined {
  if (typeof field === 'string') return field === 'anything' ? undefined : SAMPLES[field];
  if ('fields' in field) return sampleObject(field);
  if ('oneOf' in field) return field.oneOf[0];
  if ('matching' in field) return undefined;
  const inner = sampleOf('items' in field ? field.items : field.values);
  if (inner === undefined) return undefined;
  return 'items' in field ? [inner] : { key: inner };
}

/** Undefined if nothing, or not all that is required, can be invented. */
function sampleObject({ fields, required }: AcceptedObject): Record<string, JsonValue> | undefined {
  const samples = Object.entries(fields).flatMap(([name, field]) => {
    const sample = sampleOf(field);
    return sample === undefined ? [] : [[name, sample] as const];
  });
  const sample = Object.fromEntries(samples);
  const isComplete = samples.length > 0 && required.every((name) => Object.hasOwn(sample, name));
  return isComplete ? sample : undefined;
}

/** A record that fits a schema of the tenant (docs/platforms/adobe.md#schema-registry). */
export const SAMPLE_DATA_ROUTES: readonly PlatformRoute[] = [
  {
    method: 'GET',
    path: '/data/foundation/schemaregistry/rpc/sampledata/:id',
    permission: 'View Schemas',
    answer: ({ sandbox, headers, params: { id = '' } }) => {
      const form = lookupForm(headers);
      if (!form.ok) return form.answer;
      const schema = [...sandbox.schemas.values()].find((one) => one.id === id || one.altId === id);
      const fields = schema && schemaFields(sandbox, schema.id);
      return fields === undefined
        ? registryError('XDM-1010-404', `The requested schemas resource ${id} with version 1 is not found.`)
        : jsonAnswer(200, sampleObject(fields.accepted) ?? {});
    },
  },
];
