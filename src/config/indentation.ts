import type { ConfigProblem } from './config-error.ts';

/** Problems of a text. Reads everything that the text refers to. */
type Judge = (text: string) => readonly ConfigProblem[];

/** Another indentation of one line does not help against these. */
const OTHER_SLIPS = /^(a tab|the quote|a space) /;

/** Syntax errors, and what a key in the wrong object causes: there it is unknown, here missing. */
function isStructural({ path, message, fix }: ConfigProblem): boolean {
  if (OTHER_SLIPS.test(message)) return false;
  // A key that is almost a known one is misspelt.
  if (message === 'is not a known key' && fix.startsWith('write `')) return false;
  return path === '' || /^(is not a known key|is missing|is empty|must be (a list|an object))/.test(message);
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

function hasContent(line: string | undefined): line is string {
  return line !== undefined && /^\s*[^\s#]/.test(line);
}

/** The first line, and the lines at and beside the first problems, as indexes. */
function suspects(lines: readonly string[], problems: readonly ConfigProblem[]): number[] {
  const MAX_PROBLEMS = 6;
  const found = new Set([lines.findIndex(hasContent)]);
  for (const { line } of problems.slice(0, MAX_PROBLEMS)) {
    if (line === undefined) continue;
    const at = line - 1;
    const above = lines.findLastIndex((text, index) => index < at && hasContent(text));
    const below = lines.findIndex((text, index) => index > at && hasContent(text));
    for (const index of [at, above, below]) if (hasContent(lines[index])) found.add(index);
  }
  return [...found];
}

interface Repair {
  readonly index: number;
  readonly from: number;
  readonly to: number;
  readonly left: readonly ConfigProblem[];
}

function withIndent(lines: readonly string[], index: number, indent: number): string {
  return lines.with(index, ' '.repeat(indent) + (lines[index] ?? '').trimStart()).join('\n');
}

/**
 * Characters that may be judged for one text: a running relay reads its file between webhooks, and
 * a long list of sources takes long to judge.
 */
const MAX_JUDGED_CHARS = 100_000;

/** The smallest change of one line's indentation after which nothing is out of its place. */
function findRepair(
  lines: readonly string[],
  problems: readonly ConfigProblem[],
  judge: Judge,
): Repair | undefined {
  const used = lines.filter(hasContent).map(indentOf);
  const usesOf = (indent: number): number => used.filter((one) => one === indent).length;
  const indents = [...new Set(used)];
  const trials = suspects(lines, problems.filter(isStructural))
    .flatMap((index) => {
      const from = indentOf(lines[index] ?? '');
      return indents.filter((to) => to !== from).map((to) => ({ index, from, to }));
    })
    // Of two lines that could be the wrong one, it is the one with the unusual indentation.
    .toSorted(
      (a, b) =>
        Math.abs(a.to - a.from) - Math.abs(b.to - b.from) ||
        Number(b.to === 0) - Number(a.to === 0) ||
        usesOf(b.to) - usesOf(a.to),
    );
  const text = lines.join('\n');
  for (const trial of trials.slice(0, Math.floor(MAX_JUDGED_CHARS / text.length))) {
    const left = judge(withIndent(lines, trial.index, trial.to));
    if (!left.some((one) => isStructural(one) || OTHER_SLIPS.test(one.message))) return { ...trial, left };
  }
  return undefined;
}

function spaces(count: number): string {
  return count === 1 ? '1 space' : `${count} spaces`;
}

/**
 * One line that is indented too much or too little moves keys to other objects, which causes
 * several problems elsewhere. If one line explains them, that line is the problem; those that have
 * other causes stay.
 * @param judge the problems of a changed text
 */
export function explainIndentation(
  text: string,
  problems: readonly ConfigProblem[],
  judge: Judge,
): readonly ConfigProblem[] {
  if (!problems.some(isStructural)) return problems;
  const repair = findRepair(text.split('\n'), problems, judge);
  if (repair === undefined) return problems;
  const { index, from, to, left } = repair;
  const line = index + 1;
  const problem = {
    path: '',
    message: `the line is indented by ${spaces(from)}, which puts it into the wrong object`,
    fix: `indent line ${line} by ${spaces(to)}`,
    line,
    column: from + 1,
  };
  return [problem, ...left].toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
}
