import { isJsonObject, type JsonObject } from '../../../src/capillary/json.ts';
import type { ResolvedSchema } from '../../../src/cli/provision/resolved-schema.ts';
import { eventShape } from '../../../src/xdm/event-shape.ts';
import { profileShape } from '../../../src/xdm/profile-shape.ts';
import {
  isListShape,
  isMapShape,
  isObjectShape,
  ITEM,
  type Leaf,
  type Shape,
} from '../../../src/xdm/shape.ts';
import { type RecordClass, STANDARD_GROUPS, XDM_CLASSES } from '../../../src/xdm/standard-groups.ts';
import { referencePath } from '../../helpers/reference.ts';
import { openXdmSchemas } from '../../helpers/xdm-files.ts';

export const EVERY_FEATURE = {
  loyalty2026: true,
  loyaltyEvents: true,
  placeContext: true,
  sourceAudit: true,
  consents: true,
} as const;

/** The loyalty fields of 2026, which an older sandbox lacks. */
export const CLASSIC = [
  'nextTier',
  'pointsToNextTier',
  'tierUpgradeDate',
  'tierExpiryDate',
  'adjustedPoints',
  'expiredPoints',
  'lifetimePoints',
  'lifetimePurchases',
  'promisedPoints',
  'returnedPoints',
  'cardsDetails',
  'challenges',
  'rewards',
].map((name) => `loyalty.${name}`);

const schemas = new Map<RecordClass, ResolvedSchema>();

/**
 * A schema of a class with every standard field group, as the registry resolves it: from Adobe's
 * schema files where they are there, else from our own shapes.
 */
export function closedSchema(record: RecordClass): ResolvedSchema {
  const known = schemas.get(record);
  if (known !== undefined) return known;
  const root = referencePath('xdm/', "the comparison with Adobe's schema files");
  const groups = STANDARD_GROUPS.filter(({ classes }) => classes.includes(record)).map(({ id }) => id);
  const body =
    root === undefined ? fromShape(record) : openXdmSchemas(root).close([XDM_CLASSES[record], ...groups]);
  const schema = { body };
  schemas.set(record, schema);
  return schema;
}

function fromShape(record: RecordClass): JsonObject {
  const shape = record === 'event' ? eventShape : profileShape;
  const body = nodeOf(shape(EVERY_FEATURE, undefined));
  return { ...body, properties: { ...(body['properties'] as JsonObject), identityMap: { type: 'object' } } };
}

/** A schema that accepts a shape. */
export function nodeOf(shape: Shape): JsonObject {
  if (isListShape(shape)) return { type: 'array', items: nodeOf(shape.items) };
  if (isMapShape(shape)) return { type: 'object', additionalProperties: nodeOf(shape.values) };
  if (isObjectShape(shape)) {
    const properties = Object.entries(shape.fields).map(([name, inner]) => [name, nodeOf(inner)] as const);
    return { type: 'object', properties: Object.fromEntries(properties) };
  }
  return leafNode(shape);
}

function leafNode(leaf: Leaf): JsonObject {
  if (typeof leaf === 'object')
    return 'oneOf' in leaf ? { type: 'string', enum: [...leaf.oneOf] } : { type: 'string' };
  const isScalar = ['string', 'number', 'integer', 'boolean'].includes(leaf);
  return isScalar ? { type: leaf } : { type: 'string', format: leaf };
}

type Change = (holder: JsonObject, name: string) => void;

function changeAt(node: JsonObject, [name = '', ...rest]: readonly string[], change: Change): void {
  const isItem = name.endsWith(ITEM);
  const properties = node['properties'] as JsonObject;
  const field = isItem ? name.slice(0, -ITEM.length) : name;
  if (rest.length === 0) return change(properties, field);
  const inner = properties[field];
  if (!isJsonObject(inner)) throw new Error(`the schema has no ${field}`);
  changeAt(isItem ? (inner['items'] as JsonObject) : inner, rest, change);
}

/** A copy in which each field of these paths (`a.list[].b`) is changed. */
export function withChange(
  { body }: ResolvedSchema,
  paths: readonly string[],
  change: Change,
): ResolvedSchema {
  const copy = structuredClone(body);
  for (const path of paths) changeAt(copy, path.split('.'), change);
  return { body: copy };
}

/** A copy without these fields. */
export function withoutFields(schema: ResolvedSchema, paths: readonly string[]): ResolvedSchema {
  return withChange(schema, paths, (holder, name) => {
    delete holder[name];
  });
}
