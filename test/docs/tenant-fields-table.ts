import { isListShape, isMapShape, isObjectShape, type Leaf, type Shape } from '../../src/xdm/shape.ts';
import { TENANT_EVENT_FIELDS, TENANT_PROFILE_FIELDS } from '../../src/xdm/tenant-fields.ts';

interface TenantLeaf {
  /** Below the field itself, e.g. `points`; empty if the field is a scalar. */
  readonly path: string;
  readonly type: string;
}

function typeOf(leaf: Leaf): string {
  if (typeof leaf === 'string') return leaf;
  return 'oneOf' in leaf
    ? leaf.oneOf.map((value) => `"${value}"`).join(' or ')
    : `string matching ${leaf.matching.source}`;
}

function leavesIn(shape: Shape, path: string): readonly TenantLeaf[] {
  if (isObjectShape(shape))
    return Object.entries(shape.fields).flatMap(([name, inner]) =>
      leavesIn(inner, path === '' ? name : `${path}.${name}`),
    );
  if (isMapShape(shape)) throw new Error('tenant fields have no maps');
  return isListShape(shape) ? leavesIn(shape.items, `${path}[]`) : [{ path, type: typeOf(shape) }];
}

/** `T.points.issued`, `T.changes[].field`: every possible scalar except the keys of lists. */
export function tenantPaths(): readonly string[] {
  return [TENANT_EVENT_FIELDS, TENANT_PROFILE_FIELDS]
    .flatMap((fields) => leavesIn(fields, 'T'))
    .flatMap(({ path }) => (path === 'T.programs[].id' ? [] : [path]));
}

function rowsOf(schema: string, fields: Readonly<Record<string, Shape>>): readonly string[] {
  return Object.entries(fields).map(([name, shape]) => {
    const isList = isListShape(shape);
    const leaves = leavesIn(isList ? shape.items : shape, '');
    const parts = leaves.map(({ path, type }) => (path === '' ? type : `\`${path}\` ${type}`));
    return `| ${schema} | \`T.${name}${isList ? '[]' : ''}\` | ${parts.join(', ')} |`;
  });
}

/** The table of the relay's own fields below the tenant. */
export function tenantFieldsText(): string {
  return [
    '| Schema | Field | Parts and types |',
    '|---|---|---|',
    ...rowsOf('event', TENANT_EVENT_FIELDS.fields),
    ...rowsOf('profile', TENANT_PROFILE_FIELDS.fields),
  ].join('\n');
}
