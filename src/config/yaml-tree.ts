import {
  type Document,
  type ErrorCode,
  LineCounter,
  type Node,
  type YAMLError,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  parseDocument,
  visit,
} from 'yaml';
import { ConfigError, type ConfigProblem, type Path } from './config-error.ts';
import { findSlips } from './yaml-slips.ts';

interface Position {
  readonly line: number;
  readonly column: number;
}

/** A YAML file as plain values with their positions. */
export interface YamlTree {
  readonly value: unknown;
  /** Position of the key, or of the nearest key above it that is in the file. */
  readonly position: (path: Path) => Position;
}

// The parser's messages can quote the invalid text, which may be a secret, so they are not used.
const SYNTAX: Partial<Record<ErrorCode, readonly [message: string, fix: string]>> = {
  DUPLICATE_KEY: ['this key is given twice in the same object', 'remove one of the two'],
  BAD_INDENT: ['the indentation is wrong', 'indent the line like the lines around it'],
  BLOCK_AS_IMPLICIT_KEY: [
    'a string is followed by an object: the next line is indented too far, or a string with a colon needs quotes',
    'indent the next line like the lines around it, or put the string in quotes',
  ],
  MISSING_CHAR: [
    'a character is missing',
    'close the quote or bracket, or add the missing comma, colon or space',
  ],
  BAD_SCALAR_START: ['a string without quotes cannot begin with this character', 'put the string in quotes'],
  TAG_RESOLVE_FAILED: ['a string that begins with ! is a YAML tag', 'put the string in quotes'],
  BAD_ALIAS: ['a string that begins with * or & is a YAML alias or anchor', 'put the string in quotes'],
  BAD_DQ_ESCAPE: ['a backslash in double quotes starts an unknown escape sequence', 'use single quotes'],
  MULTIPLE_DOCS: ['the file contains more than one YAML document', 'remove the line with ---'],
};

function syntaxProblem(error: Pick<YAMLError, 'code' | 'pos'>, lines: LineCounter): ConfigProblem {
  const [message, fix] = SYNTAX[error.code] ?? [
    `this is not valid YAML (${error.code})`,
    'check quotes, colons and indentation here and in the lines around',
  ];
  const { line, col } = lines.linePos(error.pos[0]);
  return { path: '', message, fix, line, column: col };
}

/** Aliases without an anchor, or inside their own anchor. */
function badAliases(document: Document): Pick<YAMLError, 'code' | 'pos'>[] {
  const found: Pick<YAMLError, 'code' | 'pos'>[] = [];
  visit(document, {
    Alias: (_key, alias, above) => {
      const target = alias.resolve(document);
      if (target !== undefined && !above.includes(target)) return;
      found.push({ code: 'BAD_ALIAS', pos: [alias.range?.[0] ?? 0, alias.range?.[1] ?? 0] });
    },
  });
  return found;
}

function resolveAlias(node: unknown, document: Document): Node | undefined {
  if (isAlias(node)) return node.resolve(document);
  return isNode(node) ? node : undefined;
}

/** Offset of the value at the path, or of its key. */
function offsetOf(document: Document, path: Path): number {
  let node = resolveAlias(document.contents, document);
  let offset = node?.range?.[0] ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) break;
      offset = (isScalar(pair.key) ? pair.key.range?.[0] : undefined) ?? offset;
      node = resolveAlias(pair.value, document);
    } else if (isSeq(node) && typeof step === 'number') {
      const item = node.items[step];
      offset = (isNode(item) ? item.range?.[0] : undefined) ?? offset;
      node = resolveAlias(item, document);
    } else break;
  }
  return offset;
}

/**
 * @throws ConfigError for aliases that expand to a huge tree, and for a merge of anything but an
 * object
 */
function plainValue(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch {
    const message = 'the aliases (*name) or merges (<<) of the file cannot be resolved';
    throw new ConfigError(file, [{ path: '', message, fix: 'write the objects out in full' }]);
  }
}

/**
 * Parses YAML.
 * @throws ConfigError with all syntax errors, duplicate keys and unknown tags
 */
export function parseYaml(text: string, file: string): YamlTree {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const slips = findSlips(document, text, lines);
  if (slips.length > 0)
    throw new ConfigError(
      file,
      slips.map(({ offset, ...slip }) => {
        const { line, col } = lines.linePos(offset);
        return { path: '', ...slip, line, column: col };
      }),
    );
  const errors = [...document.errors, ...document.warnings, ...badAliases(document)];
  // One mistake can cause errors in every line that follows: of those without an explanation of
  // their own only the first counts. Of several at one position the first is the most precise.
  const [first] = errors;
  const distinct = errors.filter((error) => error === first || SYNTAX[error.code] !== undefined);
  const places = new Map(distinct.toReversed().map((error) => [error.pos[0], syntaxProblem(error, lines)]));
  if (places.size > 0) throw new ConfigError(file, [...places.values()].toReversed());
  return {
    value: plainValue(document, file),
    position: (path) => {
      const { line, col } = lines.linePos(offsetOf(document, path));
      return { line, column: col };
    },
  };
}
