import type { SchemaFeatures } from './event-fields.ts';
import type { ObjectShape } from './shape.ts';

type MakeShape = (features: SchemaFeatures, tenant: string | undefined) => ObjectShape;

/** A shape made once for each schema: every event asks for it, and a configuration does not change while it lives. */
export function oncePerSchema(make: MakeShape): MakeShape {
  const known = new WeakMap<SchemaFeatures, Map<string | undefined, ObjectShape>>();
  return (features, tenant) => {
    const ofFeatures = known.get(features) ?? new Map<string | undefined, ObjectShape>();
    const shape = ofFeatures.get(tenant) ?? make(features, tenant);
    known.set(features, ofFeatures.set(tenant, shape));
    return shape;
  };
}
