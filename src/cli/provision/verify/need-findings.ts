import type { DestinationConfig } from '../../../config/config-schema.ts';
import { type RecordClass, STANDARD_GROUPS } from '../../../xdm/standard-groups.ts';
import { type Finding, fail, warn } from '../../doctor/finding.ts';
import { listed } from '../registry-lookup.ts';
import type { NeededGroup, SchemaNeed } from '../schema-needs.ts';

/** Where findings about one schema belong. */
export interface SchemaPlace {
  readonly check: string;
  readonly record: RecordClass;
  /** Title of the schema. */
  readonly title: string;
  readonly destination: Pick<DestinationConfig, 'tenant' | 'schemaFeatures'>;
}

function fieldsText(count: number): string {
  return count === 1 ? 'the field' : `${count} fields`;
}

function isWholeGroup({ id }: NeededGroup, needs: readonly SchemaNeed[]): boolean {
  const standard = STANDARD_GROUPS.find((group) => group.id === id);
  const paths = new Set(needs.map(({ path }) => path));
  return standard?.fields.some((field) => paths.has(field)) ?? false;
}

/** The key of `schemaFeatures` without which these fields are not written. */
function featureFor(
  { id }: NeededGroup,
  needs: readonly SchemaNeed[],
  { record, destination }: SchemaPlace,
): string | undefined {
  const feature = STANDARD_GROUPS.find((group) => group.id === id)?.feature;
  if (feature !== undefined) return feature;
  const isLoyalty = record === 'profile' && needs.every(({ path }) => path.startsWith('loyalty.'));
  return isLoyalty && destination.schemaFeatures.loyalty2026 ? 'loyalty2026' : undefined;
}

function standardFix(group: NeededGroup, needs: readonly SchemaNeed[], place: SchemaPlace): string {
  const feature = featureFor(group, needs, place);
  const off = feature === undefined ? '' : `, or set schemaFeatures.${feature}: false`;
  return isWholeGroup(group, needs)
    ? `add the field group ${group.title} (${group.id}) to the schema in AEP${off}`
    : `the sandbox's copy of ${group.title} is older: ask Adobe for the current one${off}`;
}

function missingFix(group: NeededGroup, needs: readonly SchemaNeed[], place: SchemaPlace): string {
  const { tenant = '_TENANT' } = place.destination;
  if (group.owner === 'brand') {
    const keys = [...new Set(needs.flatMap(({ key }) => (key === undefined ? [] : [key])))];
    return `add the field to a field group of your own on the schema, or correct ${listed(keys)}`;
  }
  if (group.owner === 'relay')
    return `run capillary-relay provision apply if it has made the schema; else extend the field group by hand: capillary-relay provision field-groups --tenant ${tenant} shows it`;
  if (group.owner === 'class') return `the schema must be of the class ${group.title} (${group.id})`;
  return standardFix(group, needs, place);
}

function missingFinding(group: NeededGroup, needs: readonly SchemaNeed[], place: SchemaPlace): Finding {
  const { check, title } = place;
  const paths = listed(needs.map(({ path }) => path));
  const what =
    group.owner === 'adobe' && isWholeGroup(group, needs)
      ? `lacks the field group ${group.title} (${paths})`
      : `lacks ${fieldsText(needs.length)} ${paths}${needs.length === 1 ? ' ' : ' '}of ${group.title}`;
  const isPossible = needs.every((need) => need.isPossible === true);
  const detail = isPossible
    ? `${title} ${what}; the other schema has it, so only events that need it here are refused`
    : `${title} ${what}: records with it are refused after they were accepted`;
  return (isPossible ? warn : fail)(check, detail, missingFix(group, needs, place));
}

function typeFinding({ path, expected, found, group }: SchemaNeed, { check, title }: SchemaPlace): Finding {
  const fix =
    group.owner === 'adobe' || group.owner === 'class'
      ? `${group.title} must be Adobe's own: replace the field group that defines ${path} otherwise`
      : `a type can never be changed: make a schema with another field group (capillary-relay provision apply), or correct the path that the configuration writes`;
  return fail(check, `${title}: ${path} is ${found}, and the relay writes ${expected}`, fix);
}

function requiredFinding({ path }: SchemaNeed, { check, title }: SchemaPlace): Finding {
  return warn(
    check,
    `${title} requires ${path}: every record without it is refused`,
    'remove the requirement, or make sure that every event has the value',
  );
}

/** One finding per field group that lacks fields, and one per field of another type. */
export function needFindings(needs: readonly SchemaNeed[], place: SchemaPlace): Finding[] {
  const missing = needs.filter(({ kind }) => kind === 'missing');
  const groups = Map.groupBy(
    missing,
    ({ group, isPossible = false }) => `${group.owner} ${group.title} ${isPossible}`,
  );
  return [
    ...[...groups.values()].flatMap((found) => {
      const [first] = found;
      return first === undefined ? [] : [missingFinding(first.group, found, place)];
    }),
    ...needs.filter(({ kind }) => kind === 'type').map((need) => typeFinding(need, place)),
    ...needs.filter(({ kind }) => kind === 'required').map((need) => requiredFinding(need, place)),
  ];
}
