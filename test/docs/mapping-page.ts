import { CATALOGUE } from '../../src/capillary/catalogue.ts';
import { FAMILIES } from '../../src/mapping/families/families.ts';
import { fixtureNames } from '../mapping/mapping-rig.ts';
import {
  factsOf,
  type FieldFact,
  joinedFields,
  type MappingFacts,
  payloadOf,
  UNKNOWN_NAME,
} from './mapping-facts.ts';
import { tenantPaths } from './tenant-fields-table.ts';

/** Sources named in one cell. */
const MOST_SOURCES = 8;

const keyOf = ({ record, path }: FieldFact): string => `${record} ${path}`;
const sameText = (fact: FieldFact): string => `${keyOf(fact)} ${fact.sources.join()}`;

const sourceText = (name: string): string => {
  if (name === 'data') return 'all of `data`';
  return name.startsWith('data.') ? `\`${name.slice(5)}\`` : `\`${name}\` of the envelope`;
};

const fromCell = ({ sources, values }: FieldFact): string => {
  const shown = sources.slice(0, MOST_SOURCES).map(sourceText);
  if (sources.length > MOST_SOURCES) shown.push('…');
  if (shown.length > 0) return shown.join(', ');
  return values.length === 1 ? `always \`${JSON.stringify(values[0])}\`` : 'several of them';
};

const needsCell = ({ switches }: FieldFact): string =>
  switches
    .map((name) => (name.startsWith('not ') ? `\`${name.slice(4)}: false\`` : `\`${name}\``))
    .join(', ');

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |');

const table = (fields: readonly FieldFact[], isCommon = false): string => {
  const columns = [
    ...(isCommon ? [] : [{ heading: 'Record', cell: ({ record }: FieldFact) => record }]),
    { heading: 'Field', cell: ({ path }: FieldFact) => `\`${path}\`` },
    { heading: 'From', cell: fromCell },
    ...(fields.some(({ switches }) => switches.length > 0) ? [{ heading: 'Needs', cell: needsCell }] : []),
  ];
  return [
    row(columns.map(({ heading }) => heading)),
    `|${columns.map(() => '---|').join('')}`,
    ...fields.map((fact) => row(columns.map(({ cell }) => cell(fact)))),
  ].join('\n');
};

/** Of an identityMap only whose identities they are; what `_id` is made of takes a sentence and not a cell. */
const isTold = ({ path }: FieldFact): boolean =>
  path !== '_id' && (!path.startsWith('identityMap.') || path.endsWith('.id'));

const section = (heading: string, all: readonly MappingFacts[], common: ReadonlySet<string>): string => {
  const types = [...new Set(all.map(({ eventType }) => eventType))];
  const parts = types.map((type) => {
    const ofType = all.filter(({ eventType }) => eventType === type);
    const own = joinedFields(
      ofType.flatMap(({ fields, isDeletion }) =>
        fields.filter((fact) => isTold(fact) && (isDeletion || !common.has(sameText(fact)))),
      ),
    );
    const folds = ofType.some((facts) => facts.folds)
      ? 'What is known of the dissolved customer fills the gaps of the other’s profile.'
      : '';
    const fields = own.length === 0 ? 'The fields of every event, and no others.' : table(own);
    return [`As \`${type}\`:`, fields, folds].filter((text) => text !== '').join('\n\n');
  });
  const meaning = CATALOGUE.get(heading)?.meaning;
  return [`#### ${heading}`, ...(meaning === undefined ? [] : [meaning]), ...parts].join('\n\n');
};

const areaTitle = (area: string): string => area.charAt(0).toUpperCase() + area.slice(1).replaceAll('-', ' ');

/** Names with a mapping of their own, in the order of the catalogue; what it does not know comes last. */
const familiesByArea = (): ReadonlyMap<string, readonly string[]> => {
  const known = [...CATALOGUE.keys()].filter((name) => FAMILIES.has(name));
  const names = [...known, ...[...FAMILIES.keys()].filter((name) => !CATALOGUE.has(name)).toSorted()];
  return Map.groupBy(names, (name) => CATALOGUE.get(name)?.area ?? 'other');
};

/** The section on what becomes of each event, found out by mapping every fixture in many ways. */
export const perEventText = async (): Promise<string> => {
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
      const isThere = payloads.some(({ eventName }) => eventName === name);
      const why = isThere
        ? 'Its payloads among the fixtures are ignored.'
        : 'No payload of it is among the fixtures.';
      return `#### ${name}\n\n${why}`;
    });
    return [`### ${areaTitle(area)}`, ...events].join('\n\n');
  });
  const others = plain.map((fact) => ({
    ...fact,
    eventType: fact.eventType.replace(UNKNOWN_NAME, '<name>'),
  }));
  const filled = new Set(facts.flatMap(({ fields }) => fields.map(({ path }) => path)));
  const unfilled = tenantPaths().filter((path) => !filled.has(path));
  return [
    '### Every event',
    table(joinedFields(commonFields.filter(isTold)), true),
    ...areas,
    '### Others',
    section('A name without a mapping of its own', others, common),
    section(
      'A deletion',
      facts.filter(({ isDeletion }) => isDeletion),
      common,
    ),
    ...(unfilled.length === 0
      ? []
      : [
          `Fields of the tenant that none of the payloads fills: ${unfilled.map((path) => `\`${path}\``).join(', ')}.`,
        ]),
  ].join('\n\n');
};
