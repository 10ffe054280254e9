import { RELOAD_CLASSES } from '../../src/config/reload-classes.ts';
import type { JsonSchema } from '../../src/config/json-schema.ts';

type Row = readonly [path: string, type: string, fallback: string, description: string];

function typeOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(' ');
  if (schema.anyOf) return schema.anyOf[0] ? typeOf(schema.anyOf[0]) : '';
  if (schema.oneOf) return 'object';
  if (typeof schema['pattern'] === 'string' && /\|d\)|GiB\)/.test(schema['pattern']))
    return schema['pattern'].includes('GiB') ? 'size' : 'duration';
  switch (schema.type ?? 'string') {
    case 'integer':
      return Number(schema['maximum']) < Number.MAX_SAFE_INTEGER
        ? `integer from ${String(schema['minimum'])} to ${String(schema['maximum'])}`
        : 'integer';
    case 'number':
      return `number from ${String(schema['minimum'])} to ${String(schema['maximum'])}`;
    case 'boolean':
      return '`true` `false`';
    case 'array':
      return `list of ${schema.items ? typeOf(schema.items) : 'string'}s`.replace('`s', '`');
    case 'object':
      return 'object';
    default:
      return 'string';
  }
}

function fallbackOf(schema: JsonSchema, required: boolean): string {
  if (required) return '**required**';
  const { default: fallback } = schema;
  if (fallback === undefined) return 'optional';
  if (schema.type === 'object' && JSON.stringify(fallback) === '{}') return '';
  return typeof fallback === 'string' && fallback !== ''
    ? `\`${fallback}\``
    : `\`${JSON.stringify(fallback)}\``;
}

function rowsOf(schema: JsonSchema, path: string): Row[] {
  const required = new Set((schema['required'] as readonly string[] | undefined) ?? []);
  const below = Object.entries(schema.properties ?? {}).flatMap(([key, field]): Row[] => {
    const at = path === '' ? key : `${path}.${key}`;
    const row: Row = [at, typeOf(field), fallbackOf(field, required.has(key)), field.description ?? ''];
    return [row, ...rowsOf(field, at)];
  });
  return [
    ...below,
    ...(schema.items ? rowsOf(schema.items, `${path}[]`) : []),
    ...(typeof schema.additionalProperties === 'object'
      ? rowsOf(schema.additionalProperties, `${path}.<key>`)
      : []),
    ...(schema.oneOf ?? []).flatMap((option) =>
      rowsOf(option, `${path}(${option.properties?.['type']?.const})`),
    ),
  ];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/^[^`].*<.*/g, (line) => line.replaceAll('<', '&lt;'));
}

/** When changes of the keys of a section take effect, in one sentence. */
function reloadText(section: string): string {
  const entries = Object.entries(RELOAD_CLASSES).filter(([key]) => key.split('.')[0] === section);
  const named = (takesEffect: string): string =>
    entries
      .filter(([, own]) => own === takesEffect)
      .map(([key]) => `\`${key.slice(section.length + 1)}\``)
      .join(', ');
  const [reload, restart] = [named('reload'), named('restart')];
  if (restart === '') return 'All keys take effect with a reload.';
  return reload === '' ? 'All keys need a restart.' : `With a reload: ${reload}. With a restart: ${restart}.`;
}

/** Tables of all keys of the schema, one per top-level object. */
function referenceTables(schema: JsonSchema): string {
  return Object.entries(schema.properties ?? {})
    .map(([name, section]) => {
      const top = section.items ? `${name}[]` : name;
      const rows = rowsOf(section.items ?? section, top).map(([path, type, fallback, description]) => {
        const key = path.replace(`${top}.`, '');
        return `| ${[`\`${key}\``, type, fallback, description].map(cell).join(' | ')} |`;
      });
      const head = ['| Key | Type | Default | Description |', '|---|---|---|---|'];
      return [`### ${top}`, '', section.description, '', reloadText(name), '', ...head, ...rows].join('\n');
    })
    .join('\n\n');
}

/** The page with the tables between its `keys:begin` and `keys:end` comments replaced. */
export function withReferenceTables(page: string, schema: JsonSchema): string {
  const [before, rest = ''] = page.split(/(?<=<!-- keys:begin .*-->\n)/);
  const after = rest.slice(rest.indexOf('<!-- keys:end -->'));
  return `${before}\n${referenceTables(schema)}\n\n${after}`;
}
