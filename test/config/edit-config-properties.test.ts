import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { ConfigError, type Path } from '../../src/config/config-error.ts';
import { type ConfigEdit, editConfig } from '../../src/config/edit-config.ts';

/** One value of a file, as lines that begin at column 0. */
type Printed = { readonly inline: string } | { readonly block: readonly string[] };

const RUNS = { numRuns: 300 };

const key = fc.constantFrom(
  'name',
  'inletUrl',
  'events',
  'profile',
  'tenant',
  'flowId',
  'schemaId',
  'schemaFeatures',
  'loyalty2026',
  'a-b',
  '"quoted key"',
  "'single'",
);

const word = fc.constantFrom(
  'x',
  '1',
  'true',
  'null',
  '~',
  '${ID}',
  '${file:/run/a b}',
  'https://ns.adobe.com/a/schemas/1',
  '"double # no comment"',
  "'single: it''s'",
  '"a\\nb"',
  'a:b',
  '007',
  'x'.repeat(200),
);

const comment = fc.constantFrom('', '', '', ' # note¤', '\t# with tab¤', '   #x¤');
const ownLine = fc.constantFrom<readonly string[]>(
  [],
  [],
  [],
  [''],
  ['# own line¤'],
  ['', '    # indented¤', ''],
  ['#a: b¤'],
);

const flow: fc.Arbitrary<string> = fc.letrec<{ flow: string; map: string; list: string }>((tie) => ({
  flow: fc.oneof(
    { weight: 3, arbitrary: word.filter((text) => !text.includes('{')) },
    tie('map'),
    tie('list'),
  ),
  map: fc
    .tuple(
      fc.uniqueArray(fc.tuple(key, tie('flow')), { maxLength: 3, selector: ([name]) => name }),
      fc.constantFrom(['{', '}'], ['{ ', ' }'], ['{ ', ', }']),
    )
    .map(([items, [open, close]]) =>
      items.length === 0
        ? '{}'
        : `${open}${items.map(([name, value]) => `${name}: ${value}`).join(', ')}${close}`,
    ),
  list: fc.array(tie('flow'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
})).flow;

const blockScalar = fc
  .tuple(
    fc.constantFrom('|', '>', '|-', '>-', '|+', '|2'),
    fc.array(fc.constantFrom('text', 'more # text', '', '  deeper', 'k: v'), { minLength: 1, maxLength: 3 }),
  )
  .map(
    ([mark, lines]): Printed => ({
      block: [` ${mark}`, 'first', ...lines].map((line, n) => (n === 0 || line === '' ? line : `  ${line}`)),
    }),
  );

const anchored = fc.constantFrom('', '', '', '', '', '&one ', '&two ');

function indented(lines: readonly string[], columns: number): string[] {
  return lines.map((line) => (line === '' ? '' : `${' '.repeat(columns)}${line}`));
}

function valueLines(head: string, value: Printed, columns: number, behind: string): string[] {
  if ('inline' in value) return [`${head} ${value.inline}${behind}`];
  const [first = '', ...rest] = value.block;
  if (first.startsWith(' ')) return [`${head}${first}`, ...rest];
  return [`${head}${behind}`, ...indented(value.block, columns)];
}

const block = fc.letrec<{ value: Printed; map: Printed; list: Printed }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.tuple(anchored, word).map(([anchor, text]): Printed => ({ inline: `${anchor}${text}` })),
    fc.constantFrom<Printed>({ inline: '' }, { inline: '*one' }, { inline: '*two' }, { inline: '""' }),
    fc.tuple(anchored, flow).map(([anchor, text]): Printed => ({ inline: `${anchor}${text}` })),
    blockScalar,
    tie('map'),
    tie('list'),
  ),
  map: fc
    .tuple(
      fc.uniqueArray(fc.tuple(key, tie('value'), comment, ownLine), {
        minLength: 1,
        maxLength: 4,
        selector: ([name]) => name,
      }),
      fc.constantFrom(2, 4, 3),
    )
    .map(
      ([items, columns]): Printed => ({
        block: items.flatMap(([name, value, behind, before]) => [
          ...before,
          ...valueLines(`${name}:`, value, columns, behind),
        ]),
      }),
    ),
  list: fc.tuple(fc.array(fc.tuple(tie('value'), comment, ownLine), { minLength: 1, maxLength: 3 })).map(
    ([items]): Printed => ({
      block: items.flatMap(([value, behind, before]) => {
        if ('inline' in value) return [...before, `- ${value.inline}${behind}`];
        const [first = '', ...rest] = value.block;
        if (first.startsWith(' ')) return [...before, `-${first}`, ...rest];
        if (first === '' || first.trimStart().startsWith('#'))
          return [...before, '-', ...indented(value.block, 2)];
        return [...before, `- ${first}`, ...indented(rest, 2)];
      }),
    }),
  ),
}));

const file = fc
  .tuple(block.map, fc.boolean(), fc.boolean(), ownLine, fc.boolean())
  .map(([value, isWindows, isEnded, top, isMarked]) => {
    const lines = [...top, ...(isMarked ? ['---'] : []), ...('block' in value ? value.block : [])];
    return lines.join(isWindows ? '\r\n' : '\n') + (isEnded ? (isWindows ? '\r\n' : '\n') : '');
  })
  .filter((text) => isReadable(text));

function isReadable(text: string): boolean {
  const document = parseDocument(text, { merge: true });
  if (document.errors.length > 0) return false;
  try {
    // A comment behind a block scalar can be a part of it.
    return !JSON.stringify(document.toJS()).includes('¤');
  } catch {
    return false;
  }
}

function treeOf(text: string): unknown {
  return parseDocument(text, { merge: true }).toJS();
}

const step = fc.oneof(
  { weight: 4, arbitrary: key.map((text) => text.replaceAll(/["']/g, '')) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1) },
);

const newValue = fc.oneof(
  fc.string(),
  fc.boolean(),
  fc.integer(),
  fc.constantFrom(
    'https://ns.adobe.com/a/schemas/66f0',
    '_acme',
    '',
    'null',
    '- x',
    '# no',
    'a: b',
    'y'.repeat(300),
  ),
);

const edit: fc.Arbitrary<ConfigEdit> = fc.record({
  path: fc.array(step, { minLength: 1, maxLength: 3 }),
  value: newValue,
});

/** None within another: their order would matter. */
const edits = fc
  .array(edit, { minLength: 1, maxLength: 3 })
  .filter((all) =>
    all.every(
      ({ path }) =>
        all.filter((other) => path.every((s, n) => String(s) === String(other.path[n]))).length === 1,
    ),
  );

/** The tree with a value at the path, as the edit is meant; undefined if it cannot be. */
function withValue(tree: unknown, [first, ...rest]: Path, value: unknown): unknown {
  if (first === undefined) return value;
  if (Array.isArray(tree)) {
    const copy = [...tree];
    copy[Number(first)] = withValue(copy[Number(first)], rest, value);
    return copy;
  }
  const object = typeof tree === 'object' && tree !== null ? (tree as Record<string, unknown>) : {};
  return { ...object, [first]: withValue(object[first], rest, value) };
}

/** The paths of all objects. */
function objectsOf(tree: unknown, path: Path = []): Path[] {
  if (typeof tree !== 'object' || tree === null) return [];
  const inner = Object.entries(tree).flatMap(([name, value]) =>
    objectsOf(value, [...path, Array.isArray(tree) ? Number(name) : name]),
  );
  return Array.isArray(tree) ? inner : [path, ...inner];
}

function rawComments(text: string): string[] {
  return text.match(/#[^#\r\n]*¤/g) ?? [];
}

describe('editConfig, for any file and any values', () => {
  it('changes what it was asked to, and nothing else', () => {
    fc.assert(
      fc.property(file, edits, (text, given) => {
        let result: string;
        try {
          result = editConfig(text, given, 'relay.yaml');
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          return;
        }
        const expected = given.reduce((tree, one) => withValue(tree, one.path, one.value), treeOf(text));
        expect(treeOf(result)).toEqual(expected);
        expect(rawComments(result)).toEqual(rawComments(text));
        expect(editConfig(result, given, 'relay.yaml')).toBe(result);
      }),
      RUNS,
    );
  });

  it('adds a key to each object of a file without anchors', () => {
    fc.assert(
      fc.property(file, newValue, (text, added) => {
        fc.pre(!text.includes('&'));
        for (const path of objectsOf(treeOf(text))) {
          const adding = { path: [...path, 'added'], value: added };
          expect(treeOf(editConfig(text, [adding], 'relay.yaml'))).toEqual(
            withValue(treeOf(text), adding.path, added),
          );
        }
      }),
      RUNS,
    );
  });
});
