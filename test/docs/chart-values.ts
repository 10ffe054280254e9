import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';

const VALUES = fileURLToPath(new URL('../../deploy/helm/capillary-aep-relay/values.yaml', import.meta.url));

/** Values that are described as a whole. */
const WHOLE = new Set(['config', 'resources', 'podSecurityContext', 'securityContext']);

interface Row {
  readonly key: string;
  /** Absent for a group. */
  readonly value?: unknown;
  readonly text: string;
}

/** Comment lines as one paragraph. */
function paragraphOf(comment: string | null | undefined): string {
  return (comment ?? '').trim().replaceAll(/\s*\n\s*/g, ' ');
}

/** The comment above the key, or the one after the value. */
function commentOf({ key, value }: Pair, above: string | null | undefined): string {
  const before = isScalar(key) ? key.commentBefore : undefined;
  const after = isScalar(value) || isMap(value) ? value.comment : Reflect.get(value as object, 'comment');
  return [above, before, after].map(paragraphOf).find((text) => text !== '') ?? '';
}

function rowsOf(map: YAMLMap, prefix: string): Row[] {
  return map.items.flatMap((pair, index) => {
    const key = `${prefix}${String(pair.key)}`;
    // The parser gives the map what stands above its first key.
    const text = commentOf(pair, index === 0 ? map.commentBefore : undefined);
    const { value } = pair;
    if (isMap(value) && value.flow !== true && value.items.length > 0 && !WHOLE.has(key)) {
      return [...(text === '' ? [] : [{ key, text }]), ...rowsOf(value, `${key}.`)];
    }
    return [{ key, text, value: Reflect.get(value as object, 'toJSON').call(value) }];
  });
}

/** The values of the chart as rows. */
export function chartValues(): readonly Row[] {
  const document = parseDocument(readFileSync(VALUES, 'utf8'));
  if (!isMap(document.contents)) throw new Error(`${VALUES} is not a map`);
  return rowsOf(document.contents, '');
}

function defaultOf({ key, value }: Row): string {
  if (value === undefined) return '';
  return key === 'config' ? 'an example' : `\`${JSON.stringify(value).replaceAll('|', '\\|')}\``;
}

/** The table of the values for the chart's README. */
export function chartValuesText(): string {
  const rows = chartValues().map(
    (row) => `| \`${row.key}\` | ${defaultOf(row)} | ${row.text.replaceAll('|', '\\|')} |`,
  );
  return ['| Value | Default | Meaning |', '|---|---|---|', ...rows].join('\n');
}
