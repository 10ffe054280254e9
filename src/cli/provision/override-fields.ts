import jsonata from 'jsonata';
import { ITEM } from '../../xdm/shape.ts';

type Node = jsonata.ExprNode;

/** What jsonata's types leave out. */
interface Branches {
  readonly then?: Node;
  readonly else?: Node;
}

/** The fields that an override sets, as far as its text shows them. */
export interface OverrideFields {
  /** Dotted paths; `[]` is any item of a list. */
  readonly paths: readonly string[];
  /** It may set others: names are computed, or objects come from elsewhere. */
  readonly isPartial: boolean;
}

interface Found {
  readonly paths: string[];
  isPartial: boolean;
}

function isNull({ type, value }: Node): boolean {
  return type === 'value' && value === null;
}

/** `event` and `profile` extend what the mapping writes, so its own result adds nothing. */
function isMapped({ steps }: Node): boolean {
  const [first, ...rest] = steps ?? [];
  return first !== undefined && rest.length === 0 && ['mapped', 'profile'].includes(String(first.value));
}

function isMerge({ type, procedure }: Node): boolean {
  return type === 'function' && procedure?.type === 'variable' && procedure.value === 'merge';
}

function readField([key, value]: readonly [Node, Node], path: string, found: Found): void {
  if (key.type !== 'string') {
    found.isPartial = true;
    return;
  }
  const inner = path === '' ? String(key.value) : `${path}.${key.value}`;
  if (isNull(value)) return;
  if (value.type === 'unary' && value.value === '{') return readObject(value, inner, found);
  const items = value.type === 'unary' && value.value === '[' ? (value.expressions ?? []) : [];
  const objects = items.filter((item) => item.type === 'unary' && item.value === '{');
  if (objects.length === 0) found.paths.push(inner);
  for (const item of objects) readObject(item, `${inner}${ITEM}`, found);
}

function readObject({ lhs }: Node, path: string, found: Found): void {
  for (const pair of (lhs ?? []) as readonly (readonly [Node, Node])[]) readField(pair, path, found);
}

/** Follows the expression to the objects that can be its result. */
function readResult(node: Node, found: Found): void {
  if (isNull(node) || isMapped(node)) return;
  if (node.type === 'unary' && node.value === '{') return readObject(node, '', found);
  if (node.type === 'block') {
    const last = node.expressions?.at(-1);
    if (last !== undefined) readResult(last, found);
    return;
  }
  if (node.type === 'condition') {
    const { then, else: otherwise } = node as Branches;
    for (const branch of [then, otherwise]) if (branch !== undefined) readResult(branch, found);
    return;
  }
  const [list] = isMerge(node) ? (node.arguments ?? []) : [];
  if (list?.type === 'unary' && list.value === '[') {
    for (const part of list.expressions ?? []) readResult(part, found);
    return;
  }
  found.isPartial = true;
}

/**
 * The fields that the result of an override has. A field that it sets to null is removed, so it is
 * none of them.
 * @param text an expression that compiles
 */
export function overrideFields(text: string): OverrideFields {
  const found: Found = { paths: [], isPartial: false };
  readResult(jsonata(text).ast(), found);
  return { paths: [...new Set(found.paths)], isPartial: found.isPartial };
}
