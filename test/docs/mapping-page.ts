import { CATALOGUE } from '../../src/capillary/catalogue.ts';
import { FAMILIES } from '../../src/mapping/families/index.ts';
import { fixtureNames } from '../mapping/mapping-rig.ts';
import {
  enrichedPaths,
  type FieldFact,
  factsOf,
  joinedFields,
  type MappingFacts,
  payloadOf,
  UNKNOWN_NAME,
} from './mapping-facts.ts';
import { tenantPaths } from './tenant-fields-table.ts';

/** Sources listed in one cell. */
const MAX_SOURCES = 8;

function keyOf({ record, path }: FieldFact): string {
  return `${record} ${path}`;
}
function sameText(fact: FieldFact): string {
  return `${keyOf(fact)} ${fact.sources.join()}`;
}

function sourceText(name: string): string {
  if (name === 'data') return 'all of `data`';
  return name.startsWith('data.') ? `\`${name.slice(5)}\`` : `\`${name}\` of the envelope`;
}

function fromCell({ sources, values }: FieldFact): string {
  const shown = sources.slice(0, MAX_SOURCES).map(sourceText);
  if (sources.length > MAX_SOURCES) shown.push('…');
  if (shown.length > 0) return shown.join(', ');
  return values.length === 1 ? `always \`${JSON.stringify(values[0])}\`` : 'one of several values';
}

function needsCell({ features: switches }: FieldFact): string {
  return switches
    .map((name) => (name.startsWith('not ') ? `\`${name.slice(4)}: false\`` : `\`${name}\``))
    .join(', ');
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |');
}

function table(fields: readonly FieldFact[], isCommon = false): string {
  const columns = [
    ...(isCommon ? [] : [{ heading: 'Record', cell: ({ record }: FieldFact) => record }]),
    { heading: 'Field', cell: ({ path }: FieldFact) => `\`${path}\`` },
    { heading: 'From', cell: fromCell },
    ...(fields.some(({ features: switches }) => switches.length > 0)
      ? [{ heading: 'Needs', cell: needsCell }]
      : []),
  ];
  return [
    row(columns.map(({ heading }) => heading)),
    `|${columns.map(() => '---|').join('')}`,
    ...fields.map((fact) => row(columns.map(({ cell }) => cell(fact)))),
  ].join('\n');
}

/** Of an identityMap only the ids are listed; the sources of `_id` are described in the text. */
function isListed({ path }: FieldFact): boolean {
  return path !== '_id' && (!path.startsWith('identityMap.') || path.endsWith('.id'));
}

function section(heading: string, all: readonly MappingFacts[], common: ReadonlySet<string>): string {
  const types = [...new Set(all.map(({ eventType }) => eventType))];
  const parts = types.map((type) => {
    const ofType = all.filter(({ eventType }) => eventType === type);
    const own = joinedFields(
      ofType.flatMap(({ fields, isDeletion }) =>
        fields.filter((fact) => isListed(fact) && (isDeletion || !common.has(sameText(fact)))),
      ),
    );
    const merge = ofType.some((facts) => facts.addsVictim)
      ? 'The stored attributes of the victim fill gaps in the profile of the survivor.'
      : '';
    const fields = own.length === 0 ? 'Only the fields of every event.' : table(own);
    return [`Sent as \`${type}\`:`, fields, merge].filter((text) => text !== '').join('\n\n');
  });
  const meaning = CATALOGUE.get(heading)?.meaning;
  return [`#### ${heading}`, ...(meaning === undefined ? [] : [meaning]), ...parts].join('\n\n');
}

function areaTitle(area: string): string {
  return area.charAt(0).toUpperCase() + area.slice(1).replaceAll('-', ' ');
}

/**
 * Names with a mapping of their own in the order of the catalogue; names that it lacks come last.
 */
function familiesByArea(): ReadonlyMap<string, readonly string[]> {
  const known = [...CATALOGUE.keys()].filter((name) => FAMILIES.has(name));
  const names = [...known, ...[...FAMILIES.keys()].filter((name) => !CATALOGUE.has(name)).toSorted()];
  return Map.groupBy(names, (name) => CATALOGUE.get(name)?.area ?? 'other');
}

function listOf(title: string, paths: readonly string[]): readonly string[] {
  return paths.length === 0 ? [] : [`${title}: ${paths.map((path) => `\`${path}\``).join(', ')}.`];
}

/** The section on each event, derived by mapping every fixture with one value changed at a time. */
export async function perEventText(): Promise<string> {
  const payloads = fixtureNames.map(payloadOf);
  const facts = (await Promise.all(payloads.map(factsOf))).flatMap((fact) => fact ?? []);
  const own = facts.filter(({ isDeletion }) => !isDeletion);
  const plain = (
    await Promise.all(payloads.map((payload) => factsOf({ ...payload, eventName: UNKNOWN_NAME })))
  ).flatMap((fact) => fact ?? []);
  const mapped = own.filter(({ eventName }) => FAMILIES.has(eventName));
  const inFamilies = new Set(mapped.flatMap(({ fields }) => fields.map(keyOf)));
  const commonFields = plain.flatMap(({ fields }) => fields.filter((fact) => inFamilies.has(keyOf(fact))));
  const common = new Set(commonFields.map(sameText));

  const areas = [...familiesByArea()].map(([area, names]) => {
    const events = names.map((name) => {
      const ofName = mapped.filter(({ eventName }) => eventName === name);
      if (ofName.length > 0) return section(name, ofName, common);
      const hasPayload = payloads.some(({ eventName }) => eventName === name);
      const why = hasPayload
        ? 'Its payloads in the fixtures are ignored.'
        : 'The fixtures have no payload of it.';
      return `#### ${name}\n\n${why}`;
    });
    return [`### ${areaTitle(area)}`, ...events].join('\n\n');
  });
  const others = plain.map((fact) => ({
    ...fact,
    eventType: fact.eventType.replace(UNKNOWN_NAME, '<name>'),
  }));
  const filled = new Set(facts.flatMap(({ fields }) => fields.map(({ path }) => path)));
  const missing = tenantPaths().filter((path) => !filled.has(path));
  const enriched = enrichedPaths();
  const read = missing.filter((path) => enriched.has(path));
  const unfilled = missing.filter((path) => !read.includes(path));
  return [
    '### Every event',
    table(joinedFields(commonFields.filter(isListed)), true),
    ...areas,
    '### Others',
    section('A name without a mapping of its own', others, common),
    section(
      'A deletion',
      facts.filter(({ isDeletion }) => isDeletion),
      common,
    ),
    ...listOf('Tenant fields that are set only from Capillary’s API', read),
    ...listOf('Tenant fields that no payload in the fixtures sets', unfilled),
  ].join('\n\n');
}
