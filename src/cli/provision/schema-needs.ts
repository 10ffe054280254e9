import type { DestinationConfig, SourceConfig } from '../../config/config-schema.ts';
import { eventShape } from '../../xdm/event-shape.ts';
import { profileShape } from '../../xdm/profile-shape.ts';
import { ITEM, type Leaf, object, type ObjectShape, type Shape, shapeAt } from '../../xdm/shape.ts';
import { CLASS_TITLES, type RecordClass, STANDARD_GROUPS, XDM_CLASSES } from '../../xdm/standard-groups.ts';
import { TENANT_GROUP_TITLES } from '../../xdm/tenant-field-groups.ts';
import { overrideFields } from './override-fields.ts';
import type { ResolvedSchema } from './resolved-schema.ts';
import { compareShape, nodeAt, type SchemaFault } from './schema-comparison.ts';

/** The configuration that decides which fields a destination gets. */
export type WritingDestination = Pick<DestinationConfig, 'name' | 'tenant' | 'schemaFeatures'>;
export type WritingSource = Pick<SourceConfig, 'name' | 'destination' | 'fields' | 'overrides'>;

/** A field that the configuration of a source writes, in addition to the mapping. */
export interface ConfiguredField {
  readonly path: string;
  /** The key of the configuration. */
  readonly key: string;
  /** Which record gets it can depend on the event. */
  readonly records: readonly RecordClass[];
  /** Absent: unknown, as in an override. */
  readonly leaf?: Leaf;
}

/** The field group that brings a field. */
export interface NeededGroup {
  readonly title: string;
  /** `$id`, of Adobe's groups. */
  readonly id?: string;
  readonly owner: 'class' | 'adobe' | 'relay' | 'brand';
}

/** Fields that no event writes unless a source is configured to. */
const CONFIGURED_ONLY: readonly string[] = ['preferredLanguage', 'timeZone'];

function shapeOf(record: RecordClass, { schemaFeatures, tenant }: WritingDestination): ObjectShape {
  return record === 'event' ? eventShape(schemaFeatures, tenant) : profileShape(schemaFeatures, tenant);
}

/** The shape at a dotted path; `any` for a field of the brand; undefined: it is never sent. */
function expectedAt(shape: ObjectShape, path: string): Shape | 'any' | undefined {
  const names = path
    .split('.')
    .flatMap((name) => (name.endsWith(ITEM) ? [name.slice(0, -ITEM.length), ITEM] : [name]));
  // Of the brand's own fields, only the names are known.
  return (
    shapeAt(shape, names) ??
    shapeAt(
      shape,
      names.filter((name) => name !== ITEM),
    )
  );
}

/** The field group that has a field of a record, named as Adobe's user interface does. */
function groupOf(record: RecordClass, path: string, tenant: string | undefined): NeededGroup {
  const [top = '', second] = path.split('.');
  const name = top.replace('[]', '');
  if (tenant !== undefined && name === tenant) {
    return second === undefined || second === 'capillary'
      ? { title: TENANT_GROUP_TITLES[record], owner: 'relay' }
      : { title: 'a field group of your own', owner: 'brand' };
  }
  const group = STANDARD_GROUPS.find(
    ({ classes, fields }) => classes.includes(record) && fields.includes(name),
  );
  if (group !== undefined) return { title: group.title, id: group.id, owner: 'adobe' };
  return { title: CLASS_TITLES[record], id: XDM_CLASSES[record], owner: 'class' };
}

function targetRecords(path: string, destination: WritingDestination): RecordClass[] {
  const [event, profile] = (['event', 'profile'] as const).map((record) =>
    expectedAt(shapeOf(record, destination), path),
  );
  return [
    ...(event === undefined ? [] : (['event'] as const)),
    ...(profile === undefined ? [] : (['profile'] as const)),
  ];
}

function targetsOf(source: WritingSource, destination: WritingDestination): ConfiguredField[] {
  return (['customFields', 'extendedFields'] as const).flatMap((list) =>
    Object.entries(source.fields[list]).map(([name, { to, type }]) => {
      const records = targetRecords(to, destination);
      const shape = expectedAt(shapeOf(records[0] ?? 'event', destination), to);
      // A list or an object is compared with the whole shape.
      const own = shape === 'any' ? { leaf: type ?? ('string' as const) } : {};
      return { path: to, key: `sources.${source.name}.fields.${list}.${name}`, records, ...own };
    }),
  );
}

function overriddenFields(source: WritingSource): ConfiguredField[] {
  return Object.entries(source.overrides).flatMap(([eventName, parts]) =>
    (['event', 'profile'] as const).flatMap((record) => {
      const text = parts[record];
      const key = `sources.${source.name}.overrides.${eventName}.${record}`;
      const paths = text === undefined ? [] : overrideFields(text).paths;
      return paths.map((path) => ({ path, key, records: [record] }));
    }),
  );
}

/** The fields that the sources of a destination are configured to write. */
export function configuredFields(
  destination: WritingDestination,
  sources: readonly WritingSource[],
): ConfiguredField[] {
  return sources
    .filter((source) => source.destination === destination.name)
    .flatMap((source) => [...targetsOf(source, destination), ...overriddenFields(source)]);
}

/** The overrides of a destination whose text does not show all fields that they set. */
export function unclearOverrides(
  destination: WritingDestination,
  sources: readonly WritingSource[],
): readonly string[] {
  return sources
    .filter((source) => source.destination === destination.name)
    .flatMap((source) =>
      Object.entries(source.overrides).flatMap(([eventName, parts]) =>
        (['event', 'profile'] as const).flatMap((record) => {
          const text = parts[record];
          const isUnclear = text !== undefined && overrideFields(text).isPartial;
          return isUnclear ? [`sources.${source.name}.overrides.${eventName}.${record}`] : [];
        }),
      ),
    );
}

/** What the mapping writes whatever the sources configure, and the identities. */
function builtInShape(record: RecordClass, destination: WritingDestination): ObjectShape {
  const { fields } = shapeOf(record, destination);
  const written = Object.entries(fields).filter(([name]) => !CONFIGURED_ONLY.includes(name));
  const always = record === 'event' ? ['_id', 'timestamp', 'eventType'] : ['_id'];
  return object({ ...(Object.fromEntries(written) as Record<string, Shape>), identityMap: object({}) }, [
    ...always,
    'identityMap',
  ]);
}

/** A fault of a schema with the field group that corrects it. */
export interface SchemaNeed extends SchemaFault {
  readonly group: NeededGroup;
  /** The key of the configuration because of which the field is written; absent: the mapping. */
  readonly key?: string;
  /** Only one of the two records needs it, and which one depends on the event. */
  readonly isPossible?: boolean;
}

/**
 * What a schema lacks for the records of a destination.
 * @param other the schema of the other record, for fields that can be in either
 */
export function schemaNeeds(
  record: RecordClass,
  schema: ResolvedSchema,
  destination: WritingDestination,
  fields: readonly ConfiguredField[],
  other?: ResolvedSchema,
): SchemaNeed[] {
  const { tenant } = destination;
  const builtIn = compareShape(builtInShape(record, destination), schema.body, schema);
  const shape = shapeOf(record, destination);
  const configured = fields
    .filter(({ records }) => records.includes(record))
    .flatMap(({ path, key, records, leaf }) => {
      const expected = leaf ?? expectedAt(shape, path);
      if (expected === undefined) return [];
      const node = nodeAt(schema, path);
      const faults =
        expected === 'any'
          ? node === undefined
            ? [{ kind: 'missing' as const, path }]
            : []
          : compareShape(expected, node, schema, path);
      const isElsewhere = records.length > 1 && other !== undefined && nodeAt(other, path) !== undefined;
      return faults.map((fault) => ({ ...fault, key, ...(isElsewhere && { isPossible: true }) }));
    });
  const inGroup = (fault: SchemaFault): SchemaNeed => ({
    ...fault,
    group: groupOf(record, fault.path, tenant),
  });
  const needs = builtIn.map(inGroup);
  const isCovered = ({ path, group }: SchemaNeed): boolean =>
    needs.some(
      (need) => need.group.title === group.title && (path === need.path || path.startsWith(`${need.path}.`)),
    );
  return [...needs, ...configured.map(inGroup).filter((need) => !isCovered(need))];
}
