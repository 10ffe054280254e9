import { type Document, type LineCounter, type YAMLError, isScalar, parseDocument, visit } from 'yaml';

/** A common mistake that explains the errors of a YAML parser. It quotes no value. */
export interface Slip {
  /** Offset in the text. */
  readonly offset: number;
  readonly message: string;
  readonly fix: string;
}

type Errors = readonly Pick<YAMLError, 'code' | 'pos' | 'message'>[];

/** Text, and where its lines begin: counting them for each error is slow in a large file. */
interface Source {
  readonly text: string;
  readonly starts: LineCounter;
}

/** Errors that are looked at: the later ones are consequences. */
const MAX_ERRORS = 20;

const TAB_INDENT = /^ *(?:- *)*\t\s*[^\s#]/;

function listOf(lines: readonly number[]): string {
  const MAX_LINES = 5;
  if (lines.length === 1) return `line ${lines[0]}`;
  const shown = lines.slice(0, MAX_LINES);
  return lines.length > MAX_LINES
    ? `lines ${shown.join(', ')} and ${lines.length - MAX_LINES} more`
    : `lines ${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

function tabSlip({ text, starts }: Source, errors: Errors): Slip | undefined {
  const tabbed = text.split('\n').flatMap((line, index) => (TAB_INDENT.test(line) ? [index + 1] : []));
  const wrong = new Set(errors.slice(0, MAX_ERRORS).map(({ pos }) => starts.linePos(pos[0]).line));
  const first = tabbed.find((line) => wrong.has(line));
  if (first === undefined) return undefined;
  return {
    offset: starts.lineStarts[first - 1] ?? 0,
    message: `a tab is used as indentation on line ${first}; YAML allows spaces only`,
    fix: `replace the tabs with spaces on ${listOf(tabbed.filter((line) => line >= first))}`,
  };
}

function quoteSlip(document: Document, { starts }: Source, errors: Errors): Slip | undefined {
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
    message: `the quote that opens on line ${starts.linePos(offset).line} is never closed`,
    fix: 'close it at the end of the value',
  };
}

const NO_SPACE = /^(\s*(?:- +)*[A-Za-z]\w*):(?=[^\s/])/;

/** Only a space that makes the text better is missing. */
function colonSlip({ text, starts }: Source, errors: Errors): Slip | undefined {
  const lines = text.split('\n');
  for (const { pos } of errors.slice(0, MAX_ERRORS)) {
    const { line } = starts.linePos(pos[0]);
    for (const index of [line - 1, line - 2]) {
      const start = NO_SPACE.exec(lines[index] ?? '')?.[1];
      if (start === undefined) continue;
      const changed = lines.with(index, (lines[index] ?? '').replace(NO_SPACE, '$1: ')).join('\n');
      if (parseDocument(changed, { merge: true }).errors.length >= errors.length) continue;
      return {
        offset: (starts.lineStarts[index] ?? 0) + start.length,
        message: `a space is missing after the colon on line ${index + 1}`,
        fix: 'write a space between the colon and the value',
      };
    }
  }
  return undefined;
}

function bracketSlip({ starts }: Source, errors: Errors): Slip | undefined {
  const open = errors.find(({ message }) => /and end with a [\]}]$/.test(message));
  if (open === undefined) return undefined;
  const char = open.message.at(-1) ?? '';
  return {
    offset: open.pos[0],
    message: `a \`${char}\` is missing on or above line ${starts.linePos(open.pos[0]).line}, or a line inside the brackets is not indented`,
    fix: `write the missing \`${char}\`, or indent the line further than the key`,
  };
}

function duplicateSlips(document: Document, { starts }: Source): Slip[] {
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
            message: `the key \`${String(key.value)}\` is given twice in the same object, on lines ${starts.linePos(first).line} and ${starts.linePos(offset).line}`,
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
export function findSlips(document: Document, text: string, starts: LineCounter): readonly Slip[] {
  const { errors } = document;
  if (errors.length === 0) return [];
  const source = { text, starts };
  const slip =
    tabSlip(source, errors) ??
    quoteSlip(document, source, errors) ??
    colonSlip(source, errors) ??
    bracketSlip(source, errors);
  if (slip !== undefined) return [slip];
  return errors.every(({ code }) => code === 'DUPLICATE_KEY') ? duplicateSlips(document, source) : [];
}
