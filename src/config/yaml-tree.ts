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

interface Position {
  readonly line: number;
  readonly column: number;
}

/** A YAML file as plain values, and where each of them stands in it. */
export interface YamlTree {
  readonly value: unknown;
  /** Of the key, or of the nearest one above it that is in the file. */
  readonly position: (path: Path) => Position;
}

// The parser's own messages can quote the text at fault, which may be a secret, so they are not shown.
const SYNTAX: Partial<Record<ErrorCode, readonly [message: string, cure: string]>> = {
  DUPLICATE_KEY: ['this key is given twice in the same block', 'keep one of the two'],
  TAB_AS_INDENT: ['a tab is used as indentation', 'indent with spaces'],
  BAD_INDENT: ['the indentation does not fit', 'bring the line into the column of its neighbours'],
  BLOCK_AS_IMPLICIT_KEY: [
    'a text is followed by a block: the next line is indented too far, or a text with a colon needs quotes',
    'bring the next line into the column of its neighbours, or put the text in quotes',
  ],
  MISSING_CHAR: ['a character is missing', 'close the quote or bracket, or put the comma, colon or space'],
  BAD_SCALAR_START: ['a text without quotes cannot begin with this character', 'put the text in quotes'],
  TAG_RESOLVE_FAILED: ['a text that begins with ! is a YAML tag', 'put the text in quotes'],
  BAD_ALIAS: ['a text that begins with * or & is a YAML alias or anchor', 'put the text in quotes'],
  BAD_DQ_ESCAPE: ['a backslash in double quotes is not followed by a known letter', 'use single quotes'],
  MULTIPLE_DOCS: ['the file holds more than one YAML document', 'remove the line with ---'],
};

function syntaxProblem(error: Pick<YAMLError, 'code' | 'pos'>, lines: LineCounter): ConfigProblem {
  const [message, cure] = SYNTAX[error.code] ?? [
    `this is not valid YAML (${error.code})`,
    'check the quotes, colons and indentation here and in the lines around',
  ];
  const { line, col } = lines.linePos(error.pos[0]);
  return { path: '', message, cure, line, column: col };
}

/** Aliases that name nothing, or something they are a part of. */
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

function resolved(node: unknown, document: Document): Node | undefined {
  if (isAlias(node)) return node.resolve(document);
  return isNode(node) ? node : undefined;
}

/** Character at which the value of the path, or its key, begins. */
function offsetOf(document: Document, path: Path): number {
  let node = resolved(document.contents, document);
  let offset = node?.range?.[0] ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) break;
      offset = (isScalar(pair.key) ? pair.key.range?.[0] : undefined) ?? offset;
      node = resolved(pair.value, document);
    } else if (isSeq(node) && typeof step === 'number') {
      const item = node.items[step];
      offset = (isNode(item) ? item.range?.[0] : undefined) ?? offset;
      node = resolved(item, document);
    } else break;
  }
  return offset;
}

/** Throws what the parser throws for aliases that would make a huge tree and for a merge of what is no block. */
function plainValue(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch {
    const message = 'the aliases (*name) or merges (<<) of the file cannot be put in place';
    throw new ConfigError(file, [{ path: '', message, cure: 'write the blocks out' }]);
  }
}

/** Reads YAML; refuses syntax errors, duplicate keys and unknown tags. Throws a ConfigError that holds all of them. */
export function parseYaml(text: string, file: string): YamlTree {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const errors = [...document.errors, ...document.warnings, ...badAliases(document)];
  // One mistake can give several errors at one place, of which the first says most.
  const places = new Map(errors.toReversed().map((error) => [error.pos[0], syntaxProblem(error, lines)]));
  if (places.size > 0) throw new ConfigError(file, [...places.values()].toReversed());
  return {
    value: plainValue(document, file),
    position: (path) => {
      const { line, col } = lines.linePos(offsetOf(document, path));
      return { line, column: col };
    },
  };
}
