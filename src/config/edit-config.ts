import { isDeepStrictEqual } from 'node:util';
import {
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  parseDocument,
  stringify,
  type YAMLMap,
} from 'yaml';
import { ConfigError, formatPath, type Path } from './config-error.ts';

/** A value to set; objects and lists are possible where the key is new. */
export interface ConfigEdit {
  readonly path: Path;
  readonly value: unknown;
}

/** Columns by which the relay's own files are indented. */
const INDENT = 2;

/** A change of the text: these characters are replaced. */
interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

function refuse(file: string, path: Path, message: string): never {
  const fix = 'write the value into the file by hand';
  throw new ConfigError(file, [{ path: formatPath(path), message, fix }]);
}

function keyOf(map: YAMLMap, step: Path[number]) {
  return map.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
}

/** The nodes from the top to the last one that the file has, one more than steps were found. */
function nodesAlong(contents: unknown, path: Path): Node[] {
  const nodes: Node[] = [];
  let node: unknown = contents;
  for (const step of [undefined, ...path]) {
    if (step !== undefined) {
      if (isMap(node)) node = keyOf(node, step)?.value;
      else node = isSeq(node) && typeof step === 'number' ? node.items[step] : undefined;
    }
    if (!isNode(node)) break;
    nodes.push(node);
  }
  return nodes;
}

/** JSON is YAML, and needs no line of its own. */
function flowText(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim();
}

function nested(steps: Path, value: unknown): unknown {
  return steps.reduceRight<unknown>((inner, step) => ({ [String(step)]: inner }), value);
}

function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}

function endOfLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  const line = end < 0 ? text.length : end;
  return text[line - 1] === '\r' ? line - 1 : line;
}

function isFlow(node: Node): boolean {
  return (isMap(node) || isSeq(node)) && node.flow === true;
}

function isNothing(node: Node): boolean {
  return isScalar(node) && node.value === null;
}

/** The lines of a value below a key, behind the line that ends at the offset. */
function blockBelow(text: string, lineEnd: number, value: unknown, column: number): Splice {
  const indent = ' '.repeat(column);
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const lines = stringify(value, { lineWidth: 0 }).trimEnd().split('\n');
  return { start: lineEnd, end: lineEnd, text: lines.map((line) => `${newline}${indent}${line}`).join('') };
}

/** Adds a key at the end of a map, in the style of the map. */
function addKey(text: string, map: YAMLMap, key: string, value: unknown): Splice | undefined {
  const [start, end] = map.range ?? [0, 0];
  if (isFlow(map)) {
    const close = text.lastIndexOf('}', end - 1);
    const before = text.slice(0, close).trimEnd().length;
    const separator = map.items.length === 0 || text[before - 1] === ',' ? ' ' : ', ';
    return {
      start: before,
      end: close,
      text: `${separator}${flowText({ [key]: value })
        .slice(1, -1)
        .trim()} `,
    };
  }
  const last = map.items.at(-1);
  if (last === undefined) return undefined;
  const lastNode = isNode(last.value) && last.value.range ? last.value : last.key;
  const offset = isNode(lastNode) ? (lastNode.range?.[1] ?? end) : end;
  const lineEnd = endOfLine(text, text[offset - 1] === '\n' ? offset - 1 : offset);
  return blockBelow(text, lineEnd, { [key]: value }, columnOf(text, start));
}

/** The place of a value that is left out, as in `profile:`, is behind the colon. */
function placeOfNothing(parent: Node | undefined, step: Path[number]): number | undefined {
  const key = isMap(parent) ? keyOf(parent, step)?.key : undefined;
  return isNode(key) && key.range ? key.range[1] + 1 : undefined;
}

function spliceFor(text: string, { path, value }: ConfigEdit): Splice | undefined {
  const nodes = nodesAlong(parseDocument(text, { merge: true }).contents, path);
  const node = nodes.at(-1);
  if (node === undefined) return undefined;
  const missing = path.slice(nodes.length - 1);
  const [key, ...inner] = missing;
  if (isMap(node) && key !== undefined) return addKey(text, node, String(key), nested(inner, value));
  const isReplaceable = key === undefined ? isScalar(node) || isFlow(node) : isNothing(node);
  if (!isReplaceable) return undefined;
  const written = flowText(nested(missing, value));
  const [start, last] = node.range ?? [0, 0];
  // The range of a block scalar has the line ends behind it.
  const end = start + text.slice(start, last).trimEnd().length;
  if (start !== end) return { start, end, text: written };
  const parent = nodes.at(-2);
  const place = placeOfNothing(parent, path[nodes.length - 2] ?? '');
  if (place === undefined || parent === undefined) return undefined;
  if (missing.length === 0 || isFlow(parent)) return { start: place, end: place, text: ` ${written}` };
  const column = columnOf(text, parent.range?.[0] ?? 0) + INDENT;
  return blockBelow(text, endOfLine(text, place), nested(missing, value), column);
}

/** Precedes the text of a scalar among the lexemes, which may begin like a comment. */
const SCALAR = '\u001F';

function commentsOf(text: string): string[] {
  const lexemes = [...new Lexer().lex(text)];
  return lexemes.filter((lexeme, index) => lexeme.startsWith('#') && lexemes[index - 1] !== SCALAR);
}

/** What a configuration says, and to people. */
interface Content {
  readonly tree: unknown;
  readonly comments: readonly string[];
}

function contentOf(text: string): Content | undefined {
  const document = parseDocument(text, { merge: true });
  if (document.errors.length > 0) return undefined;
  try {
    return { tree: document.toJS(), comments: commentsOf(text) };
  } catch {
    // An alias without its anchor.
    return undefined;
  }
}

function withValue(tree: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value;
  if (Array.isArray(tree) && typeof step === 'number' && step in tree)
    return tree.with(step, withValue(tree[step], rest, value));
  const object = typeof tree === 'object' && tree !== null ? (tree as Record<string, unknown>) : {};
  return { ...object, [step]: withValue(object[step], rest, value) };
}

/**
 * Sets values in the text of a configuration. Comments, order and layout of everything else stay.
 * @param file only for messages
 * @throws ConfigError for a value that cannot be set in place, such as one behind an alias
 */
export function editConfig(text: string, edits: readonly ConfigEdit[], file: string): string {
  let result = text;
  for (const edit of edits) {
    const before = contentOf(result);
    const wanted = before && { ...before, tree: withValue(before.tree, edit.path, edit.value) };
    if (wanted !== undefined && isDeepStrictEqual(before, wanted)) continue;
    const splice = wanted && spliceFor(result, edit);
    if (splice === undefined) refuse(file, edit.path, 'cannot be set here without changing other lines');
    const next = result.slice(0, splice.start) + splice.text + result.slice(splice.end);
    if (!isDeepStrictEqual(contentOf(next), wanted))
      refuse(file, edit.path, 'cannot be set here without changing other values or comments');
    result = next;
  }
  return result;
}
