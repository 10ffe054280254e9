import type { JsonSchema } from '../../src/config/json-schema.ts';

type Row = readonly [path: string, kind: string, fallback: string, description: string];

const kindOf = (schema: JsonSchema): string => {
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(' ');
  if (schema.anyOf) return schema.anyOf[0] ? kindOf(schema.anyOf[0]) : '';
  if (schema.oneOf) return 'block';
  if (typeof schema['pattern'] === 'string' && /\|d\)|GiB\)/.test(schema['pattern']))
    return schema['pattern'].includes('GiB') ? 'size' : 'duration';
  switch (schema.type ?? 'string') {
    case 'integer':
      return Number(schema['maximum']) < Number.MAX_SAFE_INTEGER
        ? `${String(schema['minimum'])} to ${String(schema['maximum'])}`
        : 'whole number';
    case 'boolean':
      return '`true` `false`';
    case 'array':
      return `list of ${schema.items ? kindOf(schema.items) : 'text'}s`.replace('`s', '`');
    case 'object':
      return 'block';
    default:
      return 'text';
  }
};

const fallbackOf = (schema: JsonSchema, required: boolean): string => {
  if (required) return '**needed**';
  const { default: fallback } = schema;
  if (fallback === undefined) return 'optional';
  if (schema.type === 'object' && JSON.stringify(fallback) === '{}') return '';
  return typeof fallback === 'string' && fallback !== ''
    ? `\`${fallback}\``
    : `\`${JSON.stringify(fallback)}\``;
};

const rowsOf = (schema: JsonSchema, path: string): Row[] => {
  const required = new Set((schema['required'] as readonly string[] | undefined) ?? []);
  const below = Object.entries(schema.properties ?? {}).flatMap(([key, field]): Row[] => {
    const at = path === '' ? key : `${path}.${key}`;
    const row: Row = [at, kindOf(field), fallbackOf(field, required.has(key)), field.description ?? ''];
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
};

const cell = (text: string): string =>
  text.replaceAll('|', '\\|').replaceAll(/^[^`].*<.*/g, (line) => line.replaceAll('<', '&lt;'));

/** Tables of every key of the schema, one for each block at the top. */
export const referenceTables = (schema: JsonSchema): string =>
  Object.entries(schema.properties ?? {})
    .map(([name, section]) => {
      const top = section.items ? `${name}[]` : name;
      const rows = rowsOf(section.items ?? section, top).map(([path, kind, fallback, description]) => {
        const key = path.replace(`${top}.`, '');
        return `| ${[`\`${key}\``, kind, fallback, description].map(cell).join(' | ')} |`;
      });
      const head = ['| Key | Value | Default | |', '|---|---|---|---|'];
      return [`### ${top}`, '', section.description, '', ...head, ...rows].join('\n');
    })
    .join('\n\n');
