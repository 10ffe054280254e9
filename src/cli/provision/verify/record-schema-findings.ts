import type { IdentityDescriptor } from '../../../adobe/platform/descriptors.ts';
import type { RegistryResource } from '../../../adobe/platform/schema-registry.ts';
import { isJsonObject } from '../../../capillary/json.ts';
import type { DestinationConfig, SourceConfig } from '../../../config/config-schema.ts';
import { CLASS_TITLES, type RecordClass, XDM_CLASSES } from '../../../xdm/standard-groups.ts';
import { type Finding, fail, ok, warn } from '../../doctor/finding.ts';
import { type DestinationSchemas, schemaFeaturesIn } from '../schema-features.ts';
import { configuredFields, schemaNeeds, unclearOverrides } from '../schema-needs.ts';
import { idKey } from '../step-context.ts';
import { needFindings } from './need-findings.ts';
import { checkName } from './platform-reading.ts';

/** A schema of the destination as the registry has it. */
export interface ReadSchema {
  /** Undefined if it does not exist. */
  readonly resource: RegistryResource | undefined;
  /** Undefined if they could not be read. */
  readonly descriptors: readonly IdentityDescriptor[] | undefined;
}

export type ReadSchemas = Readonly<Partial<Record<RecordClass, ReadSchema>>>;

const RECORDS: readonly RecordClass[] = ['event', 'profile'];

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** The class of a schema; undefined if the registry does not show it. */
function classOf({ body }: RegistryResource): string | undefined {
  if (typeof body['meta:class'] === 'string') return body['meta:class'];
  const { allOf } = body;
  const refs = Array.isArray(allOf)
    ? allOf.flatMap((part) => (isJsonObject(part) && typeof part['$ref'] === 'string' ? [part['$ref']] : []))
    : [];
  const known: readonly string[] = Object.values(XDM_CLASSES);
  return [...refs, ...textsIn(body['meta:extends'])].find((id) => known.includes(id));
}

function classFindings(check: string, record: RecordClass, resource: RegistryResource): Finding[] {
  const found = classOf(resource);
  if (found === undefined || found === XDM_CLASSES[record]) return [];
  const other = RECORDS.find((candidate) => XDM_CLASSES[candidate] === found);
  const title = other === undefined ? found : CLASS_TITLES[other];
  return [
    fail(
      check,
      `${resource.title} is of the class ${title}, not ${CLASS_TITLES[record]}`,
      `correct ${idKey(record, 'schemaId')}: the schemas of events and profiles may be exchanged`,
    ),
  ];
}

function unionFindings(check: string, { title, body }: RegistryResource): Finding[] {
  if (textsIn(body['meta:immutableTags']).includes('union')) return [];
  return [
    fail(
      check,
      `${title} is not enabled for Profile (tag union): the inlet drops its records`,
      'enable it in AEP: Schemas, the schema, Profile; or run capillary-relay provision apply for a schema that it has made',
    ),
  ];
}

function descriptorFindings(
  check: string,
  title: string,
  descriptors: readonly IdentityDescriptor[],
): Finding[] {
  return descriptors
    .filter(({ isPrimary }) => isPrimary)
    .map(({ property, namespace }) =>
      fail(
        check,
        `${title} marks ${property} as the primary identity (${namespace}), but the records name theirs in the identityMap: every record without that field is refused`,
        'remove the primary mark of the field, or use a schema without an identity descriptor',
      ),
    );
}

function featureFindings(destination: DestinationConfig, schemas: DestinationSchemas): Finding[] {
  const possible = schemaFeaturesIn(schemas);
  const { schemaFeatures } = destination;
  const names = Object.keys(possible) as (keyof typeof possible)[];
  const unused = names.filter((name) => possible[name] && !schemaFeatures[name]);
  if (unused.length === 0) return [];
  return [
    warn(
      checkName('features', destination.name),
      `the schemas have fields that are not written: schemaFeatures.${unused.join(', schemaFeatures.')} ${unused.length === 1 ? 'is' : 'are'} false`,
      `set ${unused.map((name) => `${name}: true`).join(', ')} under schemaFeatures to write them`,
    ),
  ];
}

function overrideFindings(destination: DestinationConfig, sources: readonly SourceConfig[]): Finding[] {
  const unclear = unclearOverrides(destination, sources);
  if (unclear.length === 0) return [];
  return [
    warn(
      checkName('overrides', destination.name),
      `which fields these set cannot be seen in their text: ${unclear.join(', ')}`,
      'run capillary-relay map with an event of each, and compare the fields with the schema',
    ),
  ];
}

function absentFinding(record: RecordClass, { name, sandbox, ...rest }: DestinationConfig): Finding {
  const id = record === 'event' ? rest.events.schemaId : rest.profile?.schemaId;
  return fail(
    checkName(`${record} schema`, name),
    `${idKey(record, 'schemaId')}: the sandbox ${sandbox} has no schema ${id}`,
    `copy the $id of the schema from AEP, or remove ${idKey(record, 'schemaId')} and run capillary-relay provision apply`,
  );
}

/** Whether the schemas accept every record that the configuration can produce. */
export function recordSchemaFindings(
  read: ReadSchemas,
  destination: DestinationConfig,
  sources: readonly SourceConfig[],
): Finding[] {
  const bodies: DestinationSchemas = Object.fromEntries(
    RECORDS.flatMap((record) => {
      const resource = read[record]?.resource;
      return resource === undefined ? [] : [[record, { body: resource.body }] as const];
    }),
  );
  const fields = configuredFields(destination, sources);
  const own = RECORDS.flatMap((record) => {
    const schema = read[record];
    if (schema === undefined) return [];
    const { resource, descriptors = [] } = schema;
    if (resource === undefined) return [absentFinding(record, destination)];
    const { title } = resource;
    const check = checkName(`${record} schema`, destination.name);
    const other = bodies[record === 'event' ? 'profile' : 'event'];
    const wrongClass = classFindings(check, record, resource);
    // Data Prep decides which fields raw payloads become.
    const isMapped = destination.format === 'xdm' && wrongClass.length === 0;
    const needs = isMapped ? schemaNeeds(record, { body: resource.body }, destination, fields, other) : [];
    const problems = [
      ...wrongClass,
      ...unionFindings(check, resource),
      ...needFindings(needs, { check, record, title, destination }),
      ...descriptorFindings(check, title, descriptors),
    ];
    const count = destination.format === 'xdm' ? 'has every field that the configuration writes' : 'exists';
    return problems.length > 0 ? problems : [ok(check, `${title}: enabled for Profile, ${count}`)];
  });
  if (destination.format === 'raw') return own;
  const areComplete = RECORDS.every(
    (record) => read[record] === undefined || read[record].resource !== undefined,
  );
  return [
    ...own,
    ...(areComplete ? featureFindings(destination, bodies) : []),
    ...overrideFindings(destination, sources),
  ];
}
