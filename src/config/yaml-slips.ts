import { type Document, type YAMLError, isScalar, parseDocument, visit } from 'yaml';

/** A common mistake that explains the errors of a YAML parser. It quotes no value. */
export interface Slip {
  /** Offset in the text. */
  readonly offset: number;
  readonly message: string;
  readonly fix: string;
}

type Errors = readonly Pick<YAMLError, 'code' | 'pos' | 'message'>[];

function offsetOfLine(text: string, line: number): number {
  return (
    text
      .split('\n')
      .slice(0, line - 1)
      .join('\n').length + Math.min(line - 1, 1)
  );
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

const TAB_INDENT = /^ *(?:- *)*\t\s*[^\s#]/;

function listOf(lines: readonly number[]): string {
  const MAX_LINES = 5;
  if (lines.length === 1) return `line ${lines[0]}`;
  const shown = lines.slice(0, MAX_LINES);
  return lines.length > MAX_LINES
    ? `lines ${shown.join(', ')} and ${lines.length - MAX_LINES} more`
    : `lines ${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

function tabSlip(text: string, errors: Errors): Slip | undefined {
  const tabbed = text.split('\n').flatMap((line, index) => (TAB_INDENT.test(line) ? [index + 1] : []));
  const wrong = new Set(errors.map(({ pos }) => lineAt(text, pos[0])));
  const first = tabbed.find((line) => wrong.has(line));
  if (first === undefined) return undefined;
  return {
    offset: offsetOfLine(text, first),
    message: `a tab is used as indentation on line ${first}; YAML allows spaces only`,
    fix: `replace the tabs with spaces on ${listOf(tabbed.filter((line) => line >= first))}`,
  };
}

function quoteSlip(document: Document, text: string, errors: Errors): Slip | undefined {
  const open = errors.find(
    ({ code, message }) => code === 'MISSING_CHAR' && /^Missing closing .quote/.test(message),
  );
  if (open === undefined) return undefined;
  let offset = open.pos[0];
  visit(document, {
    Scalar: (_key, { type, range }) => {
      if (type?.startsWith('QUOTE') !== true || !range) return;
      if (range[0] <= open.pos[0] && open.pos[0] <= range[1]) offset = range[0];
    },
  });
  return {
    offset,
    message: `the quote that opens on line ${lineAt(text, offset)} is never closed`,
    fix: 'close it at the end of the value',
  };
}

const NO_SPACE = /^(\s*(?:- +)*[A-Za-z]\w*):(?=[^\s/])/;

/** Only a space that makes the text better is missing. */
function colonSlip(text: string, errors: Errors): Slip | undefined {
  const lines = text.split('\n');
  for (const { pos } of errors) {
    const line = lineAt(text, pos[0]);
    for (const index of [line - 1, line - 2]) {
      const start = NO_SPACE.exec(lines[index] ?? '')?.[1];
      if (start === undefined) continue;
      const changed = lines.with(index, (lines[index] ?? '').replace(NO_SPACE, '$1: ')).join('\n');
      if (parseDocument(changed, { merge: true }).errors.length >= errors.length) continue;
      return {
        offset: offsetOfLine(text, index + 1) + start.length,
        message: `a space is missing after the colon on line ${index + 1}`,
        fix: 'write a space between the colon and the value',
      };
    }
  }
  return undefined;
}

function bracketSlip(text: string, errors: Errors): Slip | undefined {
  const open = errors.find(({ message }) => /and end with a [\]}]$/.test(message));
  if (open === undefined) return undefined;
  const char = open.message.at(-1) ?? '';
  return {
    offset: open.pos[0],
    message: `a \`${char}\` is missing on or above line ${lineAt(text, open.pos[0])}, or a line inside the brackets is not indented`,
    fix: `write the missing \`${char}\`, or indent the line further than the key`,
  };
}

function duplicateSlips(document: Document, text: string): Slip[] {
  const found: Slip[] = [];
  visit(document, {
    Map: (_key, { items }) => {
      const seen = new Map<unknown, number>();
      for (const { key } of items) {
        if (!isScalar(key) || !key.range) continue;
        const [offset] = key.range;
        const first = seen.get(key.value);
        if (first === undefined) seen.set(key.value, offset);
        else
          found.push({
            offset,
            message: `the key \`${String(key.value)}\` is given twice in the same object, on lines ${lineAt(text, first)} and ${lineAt(text, offset)}`,
            fix: 'remove one of the two',
          });
      }
    },
  });
  return found;
}

/**
 * What explains the errors of a text. One mistake causes errors in the lines that follow, so it
 * stands for all of them; keys given twice are each a mistake.
 */
export function findSlips(document: Document, text: string): readonly Slip[] {
  const { errors } = document;
  if (errors.length === 0) return [];
  const slip =
    tabSlip(text, errors) ??
    quoteSlip(document, text, errors) ??
    colonSlip(text, errors) ??
    bracketSlip(text, errors);
  if (slip !== undefined) return [slip];
  return errors.every(({ code }) => code === 'DUPLICATE_KEY') ? duplicateSlips(document, text) : [];
}
